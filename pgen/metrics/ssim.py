"""SSIM by its protocols: of whole images, of images times a mask, and over the figure alone."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.labels import Label
from pgen.body.masks import HEAD, LIMB, MARGIN, RADIUS
from pgen.metrics.base import Batch, Metric, MetricOptions, mean_rows, register
from pgen.metrics.ssim_kernel import find_ssim_protocol, ssim

_OWN_PROTOCOL = "a protocol of pgen's own"


@register("ssim")
class Ssim(Metric):
    """SSIM of whole images."""

    heeds = ("protocols",)

    higher_is_better = True
    before = ""  #: how images are prepared, before the text of the protocol

    def __init__(self, name: str, options: MetricOptions, protocol: str) -> None:
        super().__init__(f"{name}-{protocol}", options)
        how = find_ssim_protocol(protocol)
        self.ssim_protocol, self.protocol, self.smallest = protocol, self.before + how.text, how.width

    @classmethod
    def create(cls, name: str, options: MetricOptions) -> list[Ssim]:
        return [cls(name, options, protocol) for protocol in options.protocols]

    def rows(self, batch: Batch) -> Tensor:
        return mean_rows(ssim(batch.generated, batch.target, self.ssim_protocol))


@register("mask-ssim")
class MaskSsim(Ssim):
    """SSIM of both images times a mask of the target; none where the mask is empty."""

    before = f"both images × field mask of the target, radius {RADIUS:g} pixels in any frame, zeros included; "
    needs = ("poses",)

    def mask(self, batch: Batch) -> Tensor:
        """(B, 1, H, W) of 0 and 1."""
        return batch.field_mask()

    def rows(self, batch: Batch) -> Tensor:
        mask = self.mask(batch)
        values = ssim(batch.generated, batch.target, self.ssim_protocol, mask)
        return mean_rows(values.where((mask > 0).flatten(1).any(dim=1), torch.nan))


@register("spt-mask-ssim")
class SptMaskSsim(MaskSsim):
    """mask-SSIM with the pose mask that SPT trains with."""

    before = (
        f"both images × SPT's training mask of the target, radius {RADIUS:g} at 256 pixels and in proportion, torso "
        "filled, zeros included; "
    )
    note = _OWN_PROTOCOL

    def mask(self, batch: Batch) -> Tensor:
        return batch.pose_mask()


@register("body-mask-ssim")
class BodyMaskSsim(MaskSsim):
    """mask-SSIM with a mask as wide as a clothed body."""

    before = (
        "both images × body mask of the target (capsules along the limbs, torso and head disc, as wide as a clothed "
        f"body: of torso lengths limbs {2 * (LIMB + MARGIN):.2f} wide, head {2 * (HEAD + MARGIN):.2f}), "
        "zeros included; "
    )
    note = _OWN_PROTOCOL

    def mask(self, batch: Batch) -> Tensor:
        return batch.body_mask()


@register("figure-ssim")
class FigureSsim(Ssim):
    """Mean of the SSIM map over the true figure."""

    before = "mean of the SSIM map over the true figure; "
    needs, note = ("parsing",), _OWN_PROTOCOL

    def rows(self, batch: Batch) -> Tensor:
        assert batch.parsing is not None
        figure = batch.parsing != Label.BACKGROUND
        return mean_rows(ssim(batch.generated, batch.target, self.ssim_protocol, figure=figure))
