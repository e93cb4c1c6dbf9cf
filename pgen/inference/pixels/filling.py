"""What new parts of a picture are filled with: skin that comes to light, and more of the cloth or hair shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.labels import SKIN_LABELS, Label
from pgen.body.limb_fields import complete_legs, measure_limb, torso_length
from pgen.inference.pixels.blending import Mask, Picture
from pgen.inference.pixels.shading import measure_tint

_LEGS = (Label.L_LEG, Label.R_LEG)
# From here on (1 knee, 2 ankle) there may be shoes, which count as legs.
_SHOES = 1.7
# Skin of one person differs by no more than this in the share of red, green and blue in its color, and in the
# logarithm of its brightness: eyes, lips and shoes do.
_TINT, _BRIGHTNESS = 0.05, 0.5
# Over which shares of the picture's longer side skin goes on as it is nearby; and how much its usual color counts.
_REACHES, _USUAL = (0.02, 0.08), 5e-3
# The roundness of limbs is as wide as between these shares of the longer side: narrower are folds.
_ROUND = (0.008, 0.06)
_BLUER = 0.02  # against green, from here on it is no skin
_BARE = 0.5  # share of feet that has skin's color if they are bare
_FEW = 12  # pixels that are too few to know a color by
# Rectangles are looked for among so many pixels of the longer side, and must have sides of so many of these.
_COARSE, _SMALLEST = 128, 4


def find_bare_skin(image: Picture, parsing: NDArray[np.uint8], pose: NDArray[np.floating]) -> Mask:
    """Where (H, W) ``image`` (H, W, 3) shows skin: of what counts as skin in ``parsing``, not shoes, eyes or lips.

    Whatever legs wear that begins above the calf, such as tights, is taken for skin: more of it belongs there.
    """
    skin, legs = np.isin(parsing, SKIN_LABELS), np.isin(parsing, _LEGS)
    low = np.zeros(parsing.shape, bool)
    unit = torso_length(pose)
    if unit and legs.any():
        fields = [measure_limb(chain, (parsing.shape[0], parsing.shape[1]), unit) for chain in complete_legs(pose)[0]]
        nearer = fields[1].distance < fields[0].distance
        low = legs & (np.where(nearer, fields[1].along, fields[0].along) >= _SHOES)
    usual = skin & ~legs if (skin & ~legs).sum() >= _FEW else skin & ~low
    if usual.sum() < _FEW:
        return np.asarray(skin & ~low)
    tint, brightness = measure_tint(image)
    off = tint - np.median(tint[usual], axis=0)
    alike = np.abs(off).max(axis=2) < _TINT
    alike &= np.abs(brightness - np.median(brightness[usual])) < _BRIGHTNESS
    # A shoe may have spots of skin's color, or be red; a foot is all skin.
    is_barefoot = (alike & low & (off[..., 2] - off[..., 1] < _BLUER)).sum() > _BARE * low.sum()
    return np.asarray(skin & np.where(low, alike & is_barefoot, alike | legs))


def spread_skin(image: Picture, shown: Mask, light: NDArray[np.floating]) -> NDArray[np.float32]:
    """Skin all over, (H, W, 3) from 0 to 255: as ``image`` (H, W, 3) has it nearby in ``shown``, round as in ``light``.

    Far from any, it has the usual color of it. Some must be shown.

    Args:
        light: (H, W), light and folds of what was there before, as `pgen.inference.pixels.shading` has them.
    """
    longer = max(shown.shape)
    total = np.zeros(image.shape, np.float32) + _USUAL * np.median(image[shown], axis=0).astype(np.float32)
    weight = np.full(shown.shape, _USUAL, np.float32)
    known = np.where(shown[..., None], image, 0).astype(np.float32)
    for reach in _REACHES:
        sigma = max(1.0, reach * longer)
        total += ndimage.gaussian_filter(known, (sigma, sigma, 0)) / sigma**2
        weight += ndimage.gaussian_filter(shown.astype(np.float32), sigma) / sigma**2
    narrow, wide = (ndimage.gaussian_filter(light, share * longer) for share in _ROUND)
    lit = total / weight[..., None] * (narrow / np.maximum(wide, 1e-3))[..., None]
    return np.asarray(np.clip(lit, 0, 255), np.float32)


def extend_texture(image: NDArray[np.uint8], region: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """A picture (H, W, 3) all over of what ``image`` (H, W, 3) shows in ``region`` (H, W).

    The largest rectangle inside of the region, in place, and mirrored over and over around it. None if the region is
    too small to hold one.
    """
    step = max(1, round(max(region.shape) / _COARSE))
    height, width = (side // step * step for side in region.shape)
    blocks = region[:height, :width].reshape(height // step, step, width // step, step).all(axis=(1, 3))
    top, left, bottom, right = largest_rectangle(np.asarray(blocks))
    if min(bottom - top, right - left) < _SMALLEST:
        return None
    top, left, bottom, right = (side * step for side in (top, left, bottom, right))
    around = ((top, region.shape[0] - bottom), (left, region.shape[1] - right), (0, 0))
    return np.pad(image[top:bottom, left:right], around, mode="symmetric")


def largest_rectangle(region: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Top, left, bottom and right (the last two not included) of the largest rectangle within ``region`` (H, W).

    All zero if the region is empty.
    """
    best, largest = (0, 0, 0, 0), 0
    heights = np.zeros(region.shape[1] + 1, int)
    for row, filled in enumerate(region):
        heights[:-1] = np.where(filled, heights[:-1] + 1, 0)
        # Columns whose rectangles are still open, in the order of their heights: the classic stack.
        begun: list[tuple[int, int]] = []
        for column, height in enumerate(heights.tolist()):
            start = column
            while begun and begun[-1][1] >= height:
                start, tall = begun.pop()
                if tall * (column - start) > largest:
                    largest = tall * (column - start)
                    best = (row + 1 - tall, start, row + 1, column)
            begun.append((start, height))
    return best
