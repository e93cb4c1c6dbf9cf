"""Slow, literal forms of definitions, to hold the fast ones against."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


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
