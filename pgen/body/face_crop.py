"""Face crops for the face discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.parts import face_affines


def crop_faces(images: Tensor, poses: Tensor, side: int) -> Tensor:
    """The head squares of ``images`` (B, C, H, W) with ``poses`` (B, 18, 2), enlarged to (B, C, side, side).

    Zeros where no head joint is known.
    """
    height, width = images.shape[-2:]
    affines = face_affines(poses, (height, width)).to(images.dtype)
    # The frame's corners → the head's corners, in grid_sample's coordinates (align_corners=False): from −1 to 1.
    theta = affines.clone()
    theta[:, 0, 1] = affines[:, 0, 1] * height / width
    theta[:, 1, 0] = affines[:, 1, 0] * width / height
    for row, extent in ((0, width), (1, height)):
        a, b, c = affines[:, row].unbind(1)
        theta[:, row, 2] = (a * width + b * height + 2 * c) / extent - 1
    with torch.autocast(images.device.type, enabled=False):  # in bf16 the grid would be a quarter of a pixel off
        grid = F.affine_grid(theta, [len(images), images.shape[1], side, side], align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
