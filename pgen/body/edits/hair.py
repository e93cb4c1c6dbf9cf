"""Longer and shorter hair in a parsing map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.edits.settle import Mask, ParsingMap, Pose, Settings
from pgen.body.joints import HEAD_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import find_spine, measure_along_spine, measure_shoulder_half, torso_length
from pgen.errors import InputError

HAIR = ("short", "long")

# Measures of a head, from its joints' middle to the neck: where the chin is, and where long hair ends.
_CHIN, _LONG = 0.5, 1.5
# The same for the crown, the hairline, for where long hair begins to fall, and for how far from its ends it narrows.
_CROWN, _HAIRLINE, _TEMPLES, _ROUNDED = -0.7, -0.5, -0.35, 0.4
# In torso lengths: half the width of the neck, and how far the head may reach to either side.
_NECK_HALF, _HEAD_HALF = 0.11, 0.4
# Half the width of hair that falls beside a face: so much of half the head's width, or of a torso length; and how far
# outside of the head's outline its middle is, in such halves.
_STRAND, _NARROWEST, _OUTWARD = 0.35, 0.055, 0.45
# How far beside an ear hair around a face reaches, in torso lengths; and how wide it is there, in halves of all of it.
_BESIDE_EAR, _BESIDE_FACE = 0.075, 0.45

_ARMS = (Label.L_ARM, Label.R_ARM)


def edit_hair(parsing: ParsingMap, pose: Pose, edits: Settings) -> ParsingMap:
    """``parsing`` (H, W) with ``edits["hair"]``: "short", cut below the chin, or "long", falling to the chest.

    Long hair falls on either side of a face, and over the back of who is seen from behind. Raises `InputError` if the
    head's direction is not known.
    """
    down, across, from_behind = _map_head(pose, (parsing.shape[0], parsing.shape[1]))
    is_frontal = bool(known_joints(pose)[[Joint.R_EAR, Joint.L_EAR]].all())
    result = parsing.copy()
    if edits["hair"] == "short":
        cut = (parsing == Label.HAIR) & (down > _CHIN)
        other = parsing != Label.HAIR
        if cut.any() and other.any():
            rows, columns = ndimage.distance_transform_edt(~other, return_distances=False, return_indices=True)
            neck = (np.abs(across) < _NECK_HALF) & (down < 0.9)
            result[cut] = np.where(neck, Label.FACE, parsing[rows, columns])[cut]
        return result
    ears = [_find_across(pose, joint) for joint in (Joint.R_EAR, Joint.L_EAR)] if is_frontal else []
    if ears and not from_behind:
        falls = _frame_face(down, across, ears)
    else:
        falls = _find_strands(parsing, down, across, from_behind) & (down > _TEMPLES) & (down < _LONG)
    result[falls & np.isin(parsing, (Label.BACKGROUND, Label.FACE, Label.UPPER, *_ARMS))] = Label.HAIR
    return result


def _frame_face(down: NDArray[np.float64], across: NDArray[np.float64], ears: list[float]) -> Mask:
    """Where (H, W) long hair falls around a face from the front: from the crown, over both ears, and down beside it.

    ``ears``: where across the body they are.
    """
    middle, half = sum(ears) / 2, abs(ears[1] - ears[0]) / 2 + _BESIDE_EAR
    strand = max(_BESIDE_FACE * half, _NARROWEST)
    outer, inner = (
        width * np.sqrt(np.clip(1 - (np.minimum(down, 0) / top) ** 2, 0, 1))
        for width, top in ((half, _CROWN), (half - strand, _HAIRLINE))
    )
    end = (1 - np.sqrt(np.clip((_LONG - down) / _ROUNDED, 0, 1))) * strand / 2  # strands end in a curve
    aside = np.abs(across - middle)
    return np.asarray((aside <= outer - end) & (aside >= inner + end) & (down > _CROWN) & (down < _LONG))


def _find_strands(
    parsing: ParsingMap, down: NDArray[np.float64], across: NDArray[np.float64], from_behind: bool
) -> Mask:
    """Where (H, W) long hair falls, along the body: over a back, or on the sides where a head shows hair."""
    near = (down > _CROWN) & (np.abs(across) < _HEAD_HALF)
    outline = near & (down <= _TEMPLES) & np.isin(parsing, (Label.HAIR, Label.FACE))  # above all that falls
    hair = near & (down < _CHIN - 0.1) & (parsing == Label.HAIR)
    if not outline.any():
        return np.zeros(parsing.shape, bool)
    first, last = across[outline].min(), across[outline].max()
    half = (last - first) / 2
    # Strands end in a curve, and those beside a face begin in one.
    end, begin = (np.sqrt(np.clip(way / _ROUNDED, 0, 1)) for way in (_LONG - down, down - _TEMPLES))
    if from_behind:
        return np.asarray(np.abs(across - (first + last) / 2) <= end * half)
    strand, columns = max(_STRAND * half, _NARROWEST), np.zeros(parsing.shape, bool)
    beside = hair & (np.abs(down) < _CHIN / 2)  # at the height of eyes and ears
    for edge, inward in ((first, 1), (last, -1)):
        if not hair.any() or (beside & ((across - edge) * inward < 2 * strand)).any():
            columns |= np.abs(across - edge + _OUTWARD * inward * strand) < end * begin * strand
    return columns


def _find_across(pose: Pose, joint: int) -> float:
    """Where a joint is across the body, in torso lengths from the head's middle, as in `_map_head`."""
    joints, along = np.asarray(pose, np.float64), find_spine(pose)
    seen = [one for one in HEAD_JOINTS if known_joints(pose)[one]]
    offset = joints[joint] - joints[seen].mean(axis=0)
    return float(offset @ np.array([along[1], -along[0]])) / torso_length(pose)


def _map_head(pose: Pose, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Where each pixel (H, W) is of a head, and whether it is seen from behind.

    Down from 0 at its middle to 1 at the neck, and across in torso lengths.
    """
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
    return down / length, across / unit, not known[Joint.NOSE] and measure_shoulder_half(pose) < 0
