"""A soft shadow on the ground where feet touch it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.joints import Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import torso_length
from pgen.inference.rendering.background import Picture

_ANKLES = {Joint.L_ANKLE: Label.L_LEG, Joint.R_ANKLE: Label.R_LEG}
#: How dark it is, from 0 to 1; in torso lengths how far from its ankle a foot reaches, how wide and how flat a shadow
#: is blurred, and how far above the lowest foot another one does not touch the ground.
_DARK, _FOOT, _WIDE, _FLAT, _LIFTED = 0.45, 0.6, 0.09, 0.025, 0.3
#: From so many times these widths on there is none.
_FADED = 4


def cast_shadow(background: Picture, labels: NDArray[np.uint8], pose: NDArray[np.floating]) -> Picture:
    """``background`` (H, W, 3) darker under the soles of the figure of the map ``labels`` (H, W) and ``pose``."""
    unit, known = torso_length(pose), known_joints(pose)
    feet: list[tuple[int, tuple[slice, slice], NDArray[np.bool_]]] = []
    for ankle in _ANKLES:
        if known[ankle]:
            x, y = pose[ankle]
            reach = (_FOOT + _FADED * _FLAT) * unit, (_FOOT + _FADED * _WIDE) * unit
            box = _cut_box(
                (max(y - _FADED * _FLAT * unit, 0), y + reach[0]), (x - reach[1], x + reach[1]), labels.shape
            )
            rows, columns = np.ogrid[box]
            near = (rows > y) & (np.hypot(columns - x, rows - y) < _FOOT * unit) & (labels[box] != Label.BACKGROUND)
            bottom = int(rows[near.any(axis=1)].max(initial=0))
            if near.any() and bottom < len(labels) - 2:
                feet.append((bottom, box, near & (rows > bottom - 0.1 * unit)))
    shade = np.zeros(labels.shape, np.float32)
    ground = max((bottom for bottom, _, _ in feet), default=0)
    for bottom, box, sole in feet:
        closeness = max(0.0, 1 - (ground - bottom) / (_LIFTED * unit))
        soft = ndimage.gaussian_filter(sole.astype(np.float32), (_FLAT * unit, _WIDE * unit), truncate=_FADED)
        shade[box] = np.maximum(shade[box], closeness * np.clip(2.2 * soft, 0, 1))
    result = background.copy()
    for _, box, _ in feet:
        result[box] = np.rint(background[box] * (1 - _DARK * shade[box][..., None]))
    return result


def _cut_box(rows: tuple[float, float], columns: tuple[float, float], size: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns (first, last) as slices of a picture of that size."""
    (top, bottom), (left, right) = (
        (int(np.clip(first, 0, side)), int(np.clip(last + 1, 0, side)))
        for (first, last), side in zip((rows, columns), size, strict=True)
    )
    return slice(top, bottom), slice(left, right)
