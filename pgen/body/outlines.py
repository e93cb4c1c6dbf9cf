"""Outlines of a parsing map moved to where the photo has them.

Parsers miss outlines by a few pixels: a rim of skin is called cloth, or a rim of cloth background. In a picture that is
painted label by label such rims show as pale or colored lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# How far outlines may move, of wide regions and then of all, and how far from them a label's colors are looked at, as
# shares of the longer side.
_REACHES, _AROUND = (0.027, 0.013), 0.025
# Colors (0-255) vary at least so much, by noise and light; a pixel is foreign to its label if it is farther off than
# so many of these, and belongs to another if it is at most this share as far from that.
_NOISE, _FOREIGN, _SHARE = 10.0, 2.0, 0.4
# From here on it is foreign for sure, whatever it belongs to.
_SURELY = 3.0
# Labels that differ by less cannot be distinguished.
_DISTINCT = 40.0
# Means are taken of so many pixels of the longer side; they are smooth.
_COARSE = 256


def fit_outlines(image: NDArray[np.uint8], parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``parsing`` (H, W) of the photo ``image`` (H, W, 3), with rims given to the label beside whose color they have.

    A pixel near an outline changes its label if its color does not fit what the photo shows of that label nearby,
    farther inside, and fits what it shows of the neighbouring one much better; if, with others like it, it reaches that
    label; and if it is no single pixel.
    """
    for reach in _REACHES:
        parsing = _move_outlines(image, parsing, max(1.0, reach * max(parsing.shape)))
    return parsing


def find_foreign_rim(image: NDArray[np.uint8], parsing: NDArray[np.uint8], label: int) -> NDArray[np.bool_]:
    """The pixels (H, W) near the outline of ``label`` whose color (``image``, (H, W, 3)) is nothing like its own."""
    rim = _find_rims(parsing, max(1.0, _REACHES[-1] * max(parsing.shape)))
    region = parsing == label
    _, off = _average_near(image, region & ~rim)
    return region & rim & np.isfinite(off) & (off > _SURELY)


def _move_outlines(image: NDArray[np.uint8], parsing: NDArray[np.uint8], reach: float) -> NDArray[np.uint8]:
    """``parsing`` with outlines moved by ``reach`` pixels at the most."""
    rim = _find_rims(parsing, reach)
    usual = {int(label): _average_near(image, (parsing == label) & ~rim) for label in np.unique(parsing)}
    own_off, own_mean = np.full(parsing.shape, np.inf, np.float32), np.zeros(image.shape, np.float32)
    for label, (mean, off) in usual.items():
        here = parsing == label
        own_off[here], own_mean[here] = off[here], mean[here]
    result, best = parsing.copy(), _SHARE * own_off
    for label, (mean, off) in usual.items():
        region = parsing == label
        near = ndimage.distance_transform_edt(~region) <= reach
        distinct = np.linalg.norm(mean - own_mean, axis=2) > _DISTINCT
        found = rim & near & ~region & distinct & np.isfinite(own_off) & (own_off > _FOREIGN) & (off < best)
        joined = ndimage.binary_propagation(region, mask=region | found) & found
        joined &= ndimage.binary_opening(region | joined, np.ones((2, 2), bool))
        result[joined], best[joined] = label, off[joined]
    return result


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
