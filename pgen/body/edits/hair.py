"""Longer and shorter hair in a parsing map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.edits.settle import ParsingMap, Pose, Settings
from pgen.body.joints import HEAD_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import find_spine, is_seen_from_behind, measure_along_spine, torso_length
from pgen.errors import InputError

HAIR = ("short", "long")

# Measures of a head, from its joints' middle to the neck: where the chin is, and where long hair ends.
_CHIN, _LONG = 0.5, 1.5
# The same for the crown, for where long hair begins to fall, and for how far from its ends it narrows.
_CROWN, _EARS, _ROUNDED = -0.7, -0.1, 0.4
# In torso lengths: half the width of the neck, how far the head may reach to either side, and the width of a strand.
_NECK_HALF, _HEAD_HALF, _STRAND = 0.11, 0.4, 0.15

_ARMS = (Label.L_ARM, Label.R_ARM)


def edit_hair(parsing: ParsingMap, pose: Pose, edits: Settings) -> ParsingMap:
    """``parsing`` (H, W) with ``edits["hair"]``: "short", cut below the chin, or "long", falling to the chest.

    What was under cut hair is taken from the nearest pixels, and the neck from its joints. Long hair falls on either
    side of a face, and over the back of who is seen from behind.

    Raises:
        InputError: the head's direction is not known.
    """
    head = _find_head(pose, (parsing.shape[0], parsing.shape[1]))
    result = parsing.copy()
    if edits["hair"] == "short":
        cut = (parsing == Label.HAIR) & (head.down > _CHIN)
        other = parsing != Label.HAIR
        if cut.any() and other.any():
            rows, columns = ndimage.distance_transform_edt(~other, return_distances=False, return_indices=True)
            neck = (np.abs(head.across) < _NECK_HALF) & (head.down < 0.9)
            result[cut] = np.where(neck, Label.FACE, parsing[rows, columns])[cut]
        return result
    falls = _find_strands(parsing, head) & (head.down > _EARS) & (head.down < _LONG)
    result[falls & np.isin(parsing, (Label.BACKGROUND, Label.FACE, Label.UPPER, *_ARMS))] = Label.HAIR
    return result


def _find_strands(parsing: NDArray[np.uint8], head: _Head) -> NDArray[np.bool_]:
    """Where (H, W) long hair falls, along the body: at the sides of the head where it shows hair."""
    near = (np.abs(head.down) < -_CROWN) & (head.down < _EARS + _CHIN) & (np.abs(head.across) < _HEAD_HALF)
    outline = near & np.isin(parsing, (Label.HAIR, Label.FACE))
    hair = near & (parsing == Label.HAIR)
    if not outline.any():
        return np.zeros(parsing.shape, bool)
    first, last = head.across[outline].min(), head.across[outline].max()
    # Strands end in a curve, and those beside a face begin in one.
    end, begin = (np.sqrt(np.clip(way / _ROUNDED, 0, 1)) for way in (_LONG - head.down, head.down - _EARS))
    if head.from_behind:
        return np.asarray(np.abs(head.across - (first + last) / 2) <= end * (last - first) / 2)
    share = end * begin
    columns = np.zeros(parsing.shape, bool)
    beside = hair & (np.abs(head.down) < _CHIN / 2)  # at the height of eyes and ears
    bare = not hair.any()
    if bare or (beside & (head.across < first + _STRAND / 2)).any():
        columns |= np.abs(head.across - first - _STRAND / 2) < share * _STRAND / 2
    if bare or (beside & (head.across > last - _STRAND / 2)).any():
        columns |= np.abs(head.across - last + _STRAND / 2) < share * _STRAND / 2
    return columns


@dataclass(frozen=True)
class _Head:
    """Coordinates (H, W) of a head: ``down`` 0 at its middle and 1 at the neck, ``across`` in torso lengths."""

    down: NDArray[np.float64]
    across: NDArray[np.float64]
    from_behind: bool


def _find_head(pose: NDArray[np.floating], size: tuple[int, int]) -> _Head:
    known, unit = known_joints(pose), torso_length(pose)
    joints = np.asarray(pose, np.float64)
    seen = [joint for joint in HEAD_JOINTS if known[joint]]
    if not unit or not seen:
        raise InputError("hair cannot be edited: no joint of the head is known, or shoulders or hips are not")
    neck = joints[Joint.NECK] if known[Joint.NECK] else joints[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0)
    center = joints[seen].mean(axis=0)
    along = find_spine(pose)
    length = float((neck - center) @ along)
    if length < 0.12 * unit:
        raise InputError("hair cannot be edited: the head is not above the shoulders")
    down, across = measure_along_spine(center, along, size)
    return _Head(down / length, across / unit, not known[Joint.NOSE] and is_seen_from_behind(pose))
