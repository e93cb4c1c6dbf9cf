"""Measuring batches of results: rows of numbers, one a pair, whose sums make the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pgen.body.labels import Label
from pgen.body.masks import body_masks, pose_mask_radius, pose_masks
from pgen.body.torso import complete_torso
from pgen.errors import InputError
from pgen.metrics.bootstrap import to_columns
from pgen.metrics.miou import count_intersection_and_union
from pgen.metrics.pose_finder import Finder
from pgen.metrics.ssim_kernel import figure_ssim, ssim


@dataclass
class Batch:
    """Results of one size beside the true photos."""

    generated: Tensor  #: uint8 (B, 3, H, W)
    target: Tensor  #: uint8 (B, 3, H, W)
    poses: Tensor  #: (B, 18, 2) of the targets, NaN where not known
    parsing: Tensor | None = None  #: true maps (B, H, W)
    made_parsing: Tensor | None = None  #: the system's maps (B, H, W)

    def mask(self) -> Tensor:
        """Pose masks of the targets (B, 1, H, W), 0 or 1."""
        size = (self.target.shape[2], self.target.shape[3])
        return pose_masks(self.poses, size, pose_mask_radius(size)).byte()

    def body_mask(self) -> Tensor:
        """Body masks of the targets (B, 1, H, W), 0 or 1; torsos are completed where that is possible."""
        size = (self.target.shape[2], self.target.shape[3])
        poses = np.stack([_whole(pose, size) for pose in self.poses.numpy()])
        return body_masks(torch.from_numpy(poses), size).byte()


#: One row of numbers a pair, (B, K).
Rows = NDArray[np.floating]
#: What is measured of a batch; of single scores as `to_columns` has them.
Measure = Callable[[Batch], Rows]


class Ssim:
    """SSIM of whole images, under the protocol of that name."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol

    def __call__(self, batch: Batch) -> Rows:
        return to_columns(ssim(batch.generated, batch.target, self.protocol).numpy())


class MaskSsim(Ssim):
    """SSIM of both images times a mask of the target; none where the mask is empty."""

    def __init__(self, protocol: str, mask: Callable[[Batch], Tensor]) -> None:
        super().__init__(protocol)
        self.mask = mask

    def __call__(self, batch: Batch) -> Rows:
        mask = self.mask(batch)
        values = ssim(batch.generated, batch.target, self.protocol, mask)
        return to_columns(values.where((mask > 0).flatten(1).any(dim=1), torch.nan).numpy())


class FigureSsim(Ssim):
    """Mean of the SSIM map over the true figure; needs the true maps."""

    def __call__(self, batch: Batch) -> Rows:
        assert batch.parsing is not None
        figure = batch.parsing != Label.BACKGROUND
        return to_columns(figure_ssim(batch.generated, batch.target, figure, self.protocol).numpy())


class Joints:
    """``counts`` of the joints that ``detector`` finds in the generated images and the true ones, such as PCKh's."""

    def __init__(self, detector: Finder, counts: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.detector, self.counts = detector, counts

    def __call__(self, batch: Batch) -> Rows:
        return self.counts(self.detector(batch.generated), batch.poses).numpy()


class Features:
    """Features (B, K) float32 of the generated images; ``masked``: of these times their pose masks."""

    def __init__(self, network: nn.Module, device: str, masked: bool = False) -> None:
        self.network, self.device, self.masked = network, torch.device(device), masked

    def __call__(self, batch: Batch) -> Rows:
        images = batch.generated * batch.mask() if self.masked else batch.generated
        return self.network(images.to(self.device)).float().cpu().numpy()


def per_pair(function: Callable[[Tensor, Tensor], Tensor]) -> Measure:
    """What ``function`` says of generated and true images, uint8 (B, 3, H, W): a score (B,) a pair."""
    return lambda batch: to_columns(function(batch.generated, batch.target).numpy())


def distances(network: nn.Module, device: str) -> Measure:
    """`per_pair` with a network that is on ``device``."""
    return lambda batch: to_columns(network(batch.generated.to(device), batch.target.to(device)).cpu().numpy())


def parsing_rows(batch: Batch) -> Rows:
    """`count_intersection_and_union` of the system's maps and the true ones, of which mIoU is made; needs both."""
    assert batch.parsing is not None
    assert batch.made_parsing is not None
    return count_intersection_and_union(batch.made_parsing, batch.parsing).numpy()


def _whole(pose: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """``pose`` (18, 2) with shoulders and hips, or as it is if they cannot be told."""
    try:
        return complete_torso(pose, size)[0]
    except InputError:
        return pose
