"""Two pictures put together so that no seam shows: fine detail changes over within pixels, broad tones over far."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Levels of the pyramid, and its smallest side.
_LEVELS, _SMALLEST = 5, 8


def blend_bands(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """``first`` (C, H, W) where ``share`` (H, W) is 1, ``second`` where it is 0, blended band by band.

    Burt and Adelson, *A multiresolution spline with application to image mosaics* (1983).
    """
    levels = 1
    while levels < _LEVELS and min(share.shape) >> levels >= _SMALLEST:
        levels += 1
    pictures, shares = torch.cat([first, second])[None], share[None, None]
    bands = []
    for _ in range(levels - 1):
        smaller = _shrink(pictures)
        bands.append((pictures - _grow(smaller, pictures), shares))
        pictures, shares = smaller, _shrink(shares)
    bands.append((pictures, shares))
    result: Tensor | None = None
    for band, weight in reversed(bands):
        one, other = band.chunk(2, dim=1)
        mixed = torch.lerp(other, one, weight)
        result = mixed if result is None else mixed + _grow(result, mixed)
    assert result is not None
    return result[0]


def blur(image: Tensor, sigma: float, stride: int = 1) -> Tensor:
    """``image`` (B, C, H, W) under a Gaussian of ``sigma`` pixels, every so many of it; its ends go on beyond it."""
    radius = max(1, round(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype)
    weights = torch.exp(-offsets.square() / (2 * sigma**2))
    across = (weights / weights.sum()).view(1, 1, 1, -1).expand(image.shape[1], 1, 1, -1)
    image = F.conv2d(
        F.pad(image, (radius, radius, 0, 0), "replicate"), across, stride=(1, stride), groups=image.shape[1]
    )
    image = F.pad(image, (0, 0, radius, radius), "replicate")
    return F.conv2d(image, across.transpose(2, 3), stride=(stride, 1), groups=image.shape[1])


def _shrink(image: Tensor) -> Tensor:
    return blur(image, 1.0, stride=2)


def _grow(image: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(image, size=like.shape[2:], mode="bilinear", align_corners=False)
