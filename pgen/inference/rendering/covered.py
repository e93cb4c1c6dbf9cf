"""How clothes go on behind what covers them: heads, arms, and what is carried."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from skimage.draw import polygon2mask

from pgen.body.boxes import find_box
from pgen.body.labels import CLOTH_LABELS, Label

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]

_HEAD, _ARMS = (Label.FACE, Label.HAIR), (Label.L_ARM, Label.R_ARM)
_LOWER = (Label.PANTS, Label.SKIRT)

#: What is smaller, as a share of the largest part of a garment, is none of it.
_ISLAND = 0.2


def uncover_clothes(labels: Labels, sleeves: Mask, covers: Mask, is_low: Mask, margin: int, rim: int) -> Labels:
    """``labels`` (H, W) without head, arms and ``sleeves`` (H, W): there what is beside them goes on.

    Args:
        covers: what is before the person without being a part of it, and background in ``labels``.
        is_low: what is below the hips.
        margin: around what is covered, pixels that have to be looked at.
        rim: by so many pixels outlines differ from those of the photo.
    """
    cloth = np.isin(labels, CLOTH_LABELS)
    arms = np.isin(labels, _ARMS) | sleeves
    above = arms | np.isin(labels, _HEAD)
    hidden = _find_hidden(covers, np.where(cloth & ~above, labels, 0), above, rim)
    found, box = labels.copy(), find_box(above | hidden, margin)
    inner = found[box]
    shown = np.where(cloth & ~above, labels, 0)
    has_ended = is_low & ~(shown == Label.UPPER).any(axis=1, keepdims=True)  # the top, in these rows
    _fill_nearest(inner, hidden[box], shown[box] > 0)
    _fill_between(inner, hidden[box], shown[box], has_ended[box])
    _fill_nearest(inner, above[box], ~above[box])
    # Arms beside trousers or a skirt make them no wider.
    beside = arms & ~find_between((cloth | hidden) & ~above) & (is_low | np.isin(found, _LOWER))
    found[beside] = Label.BACKGROUND
    return found


def _find_hidden(covers: Mask, clothes: Labels, above: Mask, rim: int) -> Mask:
    """Where (H, W) that which ``covers`` (H, W) hides ``clothes`` (H, W), not background.

    They reach from where they are seen to where they are seen again, without background between; that which is
    ``above`` (H, W), heads and arms, ends them as little.
    """
    if not covers.any():
        return covers
    background = ndimage.binary_opening((clothes == 0) & ~covers & ~above, np.ones((3, 3), bool), rim)
    kinds = np.where(clothes > 0, np.uint8(1), np.where(background, np.uint8(2), np.uint8(0)))
    found = [np.all([side == 1 for side in _look_both_ways(kinds, axis)], axis=0) for axis in (0, 1)]
    hulls = [_find_hull(leave_out_islands(clothes == label)) for label in np.unique(clothes[clothes > 0])]
    return np.asarray(covers & np.any([*found, *hulls], axis=0))


def leave_out_islands(region: Mask) -> Mask:
    """``region`` (H, W) without parts that are small beside the largest: maps call corners of bags cloth."""
    parts, count = ndimage.label(region)
    if count < 2:
        return region
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _ISLAND * sizes.max())[parts])


def _find_hull(region: Mask) -> Mask:
    """The convex hull (H, W) of ``region`` (H, W); of what has no width, or no height, itself."""
    rows = np.flatnonzero(region.any(axis=1))
    inner = region[rows]
    ends = np.concatenate([inner.argmax(axis=1), region.shape[1] - 1 - inner[:, ::-1].argmax(axis=1)])
    points = np.stack([np.tile(rows, 2), ends], axis=1)
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        return region
    return np.asarray(polygon2mask(region.shape, corners) | region)


def _fill_nearest(labels: Labels, region: Mask, shown: Mask) -> None:
    """Give ``region`` of ``labels`` (H, W) those of the nearest of ``shown``."""
    if region.any() and shown.any():
        rows, columns = ndimage.distance_transform_edt(~shown, return_distances=False, return_indices=True)
        labels[region] = labels[rows[region], columns[region]]


def _fill_between(labels: Labels, hidden: Mask, shown: Labels, has_ended: Mask) -> None:
    """Give ``hidden`` parts of ``labels`` (H, W) what is ``shown`` on both sides of them.

    Where the top ``has_ended``, they have what is seen farther down.
    """
    if not hidden.any():
        return
    sides = [_look_both_ways(shown, axis) for axis in (0, 1)]
    below = sides[0][1]
    lower = hidden & has_ended & np.isin(below, _LOWER)
    labels[lower] = below[lower]
    for first, last in sides[::-1]:
        same = hidden & (first == last) & (first > 0)
        labels[same] = first[same]


def _look_both_ways(labels: Labels, axis: int) -> tuple[Labels, Labels]:
    """``labels`` (H, W), those that are 0 having the nearest before, and after them along ``axis`` that is not."""
    return _go_on(labels, axis), np.flip(_go_on(np.flip(labels, axis), axis), axis)


def _go_on(labels: Labels, axis: int) -> Labels:
    """``labels`` (H, W), those that are 0 having that of the last before them along ``axis`` that is not."""
    steps = np.arange(labels.shape[axis]).reshape((-1, 1) if axis == 0 else (1, -1))
    last = np.maximum.accumulate(np.where(labels > 0, steps, 0), axis)
    return np.asarray(np.take_along_axis(labels, last, axis))


def find_between(region: Mask, axes: tuple[int, ...] = (0, 1)) -> Mask:
    """What lies between pixels of ``region`` (H, W), above and below it (axis 0) or to its left and right (axis 1)."""
    found = np.zeros_like(region)
    for axis in axes:
        before = np.maximum.accumulate(region, axis)
        found |= before & np.flip(np.maximum.accumulate(np.flip(region, axis), axis), axis)
    return found
