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


def cast_shadow(background: Picture, labels: NDArray[np.uint8], pose: NDArray[np.floating]) -> Picture:
    """``background`` (H, W, 3) darker under the soles of the figure of the map ``labels`` (H, W) and ``pose``."""
    unit, known = torso_length(pose), known_joints(pose)
    bottoms: list[tuple[int, NDArray[np.bool_]]] = []
    rows, columns = np.indices(labels.shape)
    for ankle in _ANKLES:
        if known[ankle]:
            x, y = pose[ankle]
            near = (rows > y) & (np.hypot(columns - x, rows - y) < _FOOT * unit) & (labels != Label.BACKGROUND)
            if near.any() and np.flatnonzero(near.any(axis=1))[-1] < len(labels) - 2:
                bottoms.append((int(np.flatnonzero(near.any(axis=1))[-1]), near))
    shade = np.zeros(labels.shape, np.float32)
    ground = max((bottom for bottom, _ in bottoms), default=0)
    for bottom, foot in bottoms:
        closeness = max(0.0, 1 - (ground - bottom) / (_LIFTED * unit))
        sole = foot & (rows > bottom - 0.1 * unit)
        soft = ndimage.gaussian_filter(sole.astype(np.float32), (_FLAT * unit, _WIDE * unit))
        shade = np.maximum(shade, closeness * np.clip(2.2 * soft, 0, 1))
    return np.rint(background * (1 - _DARK * shade[..., None])).astype(np.uint8)
