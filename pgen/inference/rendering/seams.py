"""Two pictures put together so that no seam shows: fine detail changes over within pixels, broad tones over far."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter1d
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
    radius, values = max(1, round(3 * sigma)), image.numpy()
    for axis in (3, 2):  # a convolution of so few channels takes several times as long, and many times the memory
        values = gaussian_filter1d(values, sigma, axis, mode="nearest", radius=radius)
        values = values[..., ::stride] if axis == 3 else values[..., ::stride, :]
    return torch.from_numpy(np.ascontiguousarray(values))


def _shrink(image: Tensor) -> Tensor:
    return blur(image, 1.0, stride=2)


def _grow(image: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(image, size=like.shape[2:], mode="bilinear", align_corners=False)
