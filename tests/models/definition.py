"""Slow, literal forms of definitions, to hold the fast ones against."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.models.appearance import TwoLevelAppearanceGenerator
from pgen.models.layers import SampleNorm
from pgen.models.strided_convs import DoublingConv, HalvingConv


def deformable_skip_by_definition(feature: Tensor, affines: Tensor, masks: Tensor) -> Tensor:
    """Warp the whole feature by each of the ten transforms, mask, and take the maximum."""
    _, _, height, width = feature.shape
    frame_height, frame_width = masks.shape[-2:]
    aspect = frame_height / frame_width
    x_n, y_n = torch.linspace(-1, 1, width)[None, :], torch.linspace(-1, 1, height)[:, None]
    resized = F.interpolate(masks.float(), (height, width), mode="bilinear", align_corners=False)
    candidates = []
    for part in range(10):
        (a, b, c), (d, e, f) = (affines[:, part, row].T[:, :, None, None] for row in (0, 1))
        c, f = c / (frame_width / width), f / (frame_height / height)
        grid_x = a * x_n + b * aspect * y_n + 2 * c / width + a + b * aspect - 1
        grid_y = d / aspect * x_n + e * y_n + 2 * f / height + d / aspect + e - 1
        warped = F.grid_sample(feature, torch.stack([grid_x, grid_y], -1), align_corners=True)
        candidates.append(warped * resized[:, part : part + 1])
    return torch.stack(candidates).amax(0)


def golden_geometry(body: np.lib.npyio.NpzFile, frame: int) -> tuple[Tensor, Tensor]:
    """Affines (2, 10, 2, 3) and part masks (2, 10, frame, frame) of the first two golden pairs."""
    suffix = "" if frame == 256 else "_128"
    affines = torch.from_numpy(body[f"affine{suffix}"][:2, :, :6].reshape(2, 10, 2, 3)).float()
    masks = np.unpackbits(body[f"part_masks{suffix}_packed"][:2], axis=-1).astype(bool)
    return affines, torch.from_numpy(masks)


class NormByDefinition(nn.Module):
    """Each sample less its mean, by its standard deviation, with one scale and one shift, in separate passes."""

    def __init__(self, norm: SampleNorm) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(len(x), -1)
        mean, variance = flat.mean(1), flat.var(1, correction=0)
        shape = (len(x), 1, 1, 1)
        return (x - mean.view(shape)) / (variance.view(shape) + 1e-3).sqrt() * self.weight + self.bias


def make_plain(model: nn.Module) -> nn.Module:
    """A copy of a network in contiguous memory, with norms by definition and torch's convolutions."""
    plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    for module in plain.modules():
        if isinstance(module, HalvingConv | DoublingConv):
            module.__class__ = nn.Conv2d if isinstance(module, HalvingConv) else nn.ConvTranspose2d  # type: ignore[assignment]
    for parent in list(plain.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, SampleNorm):
                setattr(parent, name, NormByDefinition(part))
    return plain


def generator_by_definition(
    model: TwoLevelAppearanceGenerator,
    full: tuple[Tensor, Tensor],
    half: tuple[Tensor, Tensor],
    geometry: tuple[Tensor, Tensor],
    half_geometry: tuple[Tensor, Tensor],
) -> Tensor:
    """The two-level H_A, faded in, as the paper has it: whole features warped ten times, masks resized at each level.

    Inputs are (source, target) of either size, geometries (affines, masks) of the frames of these sizes.
    """
    coarse, skips = model.coarse, []
    local_source, local_target = model.source_encoder(full[0]), model.target_encoder(full[1])
    both = zip(
        coarse.source_encoder.continue_from(local_source[1]),
        coarse.target_encoder.continue_from(local_target[1]),
        strict=True,
    )
    for k, (of_source, of_target) in enumerate(both):
        if k < coarse.warped_levels:
            of_source = deformable_skip_by_definition(of_source, *half_geometry)
        skips.append(torch.cat([of_source, of_target], 1))
    decoded = model.block(coarse.decoder([[skip] for skip in skips]), skips[0])
    skip = torch.cat([deformable_skip_by_definition(local_source[0], *geometry), local_target[0]], 1)
    return torch.tanh(model.to_image(F.relu(torch.cat([decoded, skip], 1))))
