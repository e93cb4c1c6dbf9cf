"""What a parsing map calls a garment at its outline, and the photo's colors do not: a rim of what is beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# How far maps may miss outlines, and how far from them a label's colors are looked at, as shares of the longer side.
_REACH, _AROUND = 0.013, 0.025
# Colors (0-255) vary at least so much, by noise and light; from so many of these on a pixel is foreign to its label.
_NOISE, _SURELY = 10.0, 3.0
# Means are taken of so many pixels of the longer side; they are smooth.
_COARSE = 256


def find_foreign_rim(image: NDArray[np.uint8], parsing: NDArray[np.uint8], label: int) -> NDArray[np.bool_]:
    """The pixels (H, W) near the outline of ``label`` whose color (``image``, (H, W, 3)) is nothing like its own."""
    rim = _find_rims(parsing, max(1.0, _REACH * max(parsing.shape)))
    region = parsing == label
    _, off = _average_near(image, region & ~rim)
    return region & rim & np.isfinite(off) & (off > _SURELY)


def _find_rims(parsing: NDArray[np.uint8], reach: float) -> NDArray[np.bool_]:
    """The pixels (H, W) that are ``reach`` pixels from an outline, or less; the photo's own border is none."""
    depth = np.zeros(parsing.shape)
    width = int(reach) + 1
    for label in np.unique(parsing):
        padded = np.pad(parsing == label, width, mode="edge")
        away = np.full(padded.shape, np.inf) if padded.all() else ndimage.distance_transform_edt(padded)
        depth = np.where(parsing == label, away[width:-width, width:-width], depth)
    return depth <= reach


def _average_near(
    image: NDArray[np.uint8], region: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean color (H, W, 3) of ``region`` near each pixel, and how far (H, W) the pixel's own is from it.

    In standard deviations; infinite where the region is far away.
    """
    step = max(1, round(max(region.shape) / _COARSE))
    sigma = max(1.0, _AROUND * max(region.shape) / step)
    colors, there = image[::step, ::step].astype(np.float32), region[::step, ::step].astype(np.float32)
    weight = ndimage.gaussian_filter(there, sigma, truncate=3)
    share = np.maximum(weight, 1e-3)[..., None]
    blur = (sigma, sigma, 0)
    mean = ndimage.gaussian_filter(colors * there[..., None], blur, truncate=3) / share
    square = ndimage.gaussian_filter(colors**2 * there[..., None], blur, truncate=3) / share
    spread = np.sqrt(np.maximum(square - mean**2, 0) + _NOISE**2)
    height, width = region.shape
    weight, mean, spread = (
        array.repeat(step, axis=0).repeat(step, axis=1)[:height, :width] for array in (weight, mean, spread)
    )
    off = np.sqrt((((image - mean) / spread) ** 2).mean(axis=2))
    return mean, np.where(weight > 1e-3, off, np.inf).astype(np.float32)
