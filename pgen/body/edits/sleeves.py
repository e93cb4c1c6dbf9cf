"""Longer and shorter sleeves in a parsing map."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from skimage.measure import grid_points_in_poly

from pgen.body.edits.settle import Mask, ParsingMap, Pose, Settings, settle
from pgen.body.joints import ARMS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import find_hand, find_spine, measure_limb, place_on_limb, torso_length
from pgen.errors import InputError

#: How far sleeves of each name reach along the arm: 0 shoulder, 1 elbow, 2 wrist.
SLEEVES = {"none": 0.0, "short": 0.55, "elbow": 1.1, "long": 2.0}

# Slices across an arm that are looked at one by one, along its length of 2; a cuff hangs over so many bare ones.
_SLICE, _SLICES, _CUFF = 0.1, 24, 2

_LABELS = (Label.R_ARM, Label.L_ARM)
# From here on it is the hand, which no edit covers or lays bare: it also shows whether the arm is in front.
_HAND = 2.15
# Half the width of a bare arm at shoulder, elbow, wrist and hand, and how far from the bones a sleeve reaches, in
# torso lengths.
_ARM_HALF = ((0.0, 1.0, 2.0, 2.3), (0.1, 0.08, 0.058, 0.07))
_SLEEVE_HALF = 0.26
# Half the depth of the trunk, and how far cloth reaches beyond the hip joints, in torso lengths.
_TRUNK_HALF, _BESIDE_HIP = 0.2, 0.15
# A top hangs as far down as it does in this share of the width of the hips, and is so much wider there, as a share of
# that length.
_MIDDLE, _FLARE = 0.6, 0.15
# Nearer to the shoulder than this, an arm in front of the trunk cannot be distinguished from it.
_APART = 0.3


def edit_sleeves(parsing: ParsingMap, pose: Pose, edits: Settings) -> ParsingMap:
    """``parsing`` (H, W) with sleeves of ``edits["sleeves"]``: a name of `SLEEVES`, or a share of the arm's length."""
    length = place_on_limb(edits["sleeves"], SLEEVES)
    return settle(lambda parsing: change_sleeves(parsing, pose, length), parsing)


def change_sleeves(parsing: ParsingMap, pose: Pose, length: float) -> ParsingMap:
    """``parsing`` (H, W) with sleeves that reach ``length`` along the arms: 0 shoulder, 1 elbow, 2 wrist.

    Bare arm becomes upper clothes as far as the sleeve reaches. Beyond, sleeve becomes bare arm, and background where
    it was wider than an arm. The trunk is left alone, but for arms whose hand shows that they are in front of it.
    Arms without a known elbow stay as they are. Raises `InputError` if no elbow is known, or the torso is not.
    """
    unit = torso_length(pose)
    known = known_joints(pose)
    chains = [_find_chain(pose, arm, parsing == label, unit) for arm, label in zip(ARMS, _LABELS, strict=True)]
    if not unit or all(chain is None for chain in chains):
        raise InputError("sleeves cannot be edited: no elbow is known, so the arms' directions are not either")
    size = (parsing.shape[0], parsing.shape[1])
    fields = [None if chain is None else measure_limb(chain, size, unit) for chain in chains]
    trunk = _fill_trunk(pose, size, unit, parsing == Label.UPPER)
    result = parsing.copy()
    for side, field in enumerate(fields):
        if field is None:
            continue
        label, other = _LABELS[side], fields[1 - side]
        bare = parsing == label
        if length > 0:
            result[bare & (field.along < min(length, _HAND))] = Label.UPPER
        width = np.interp(field.along, *_ARM_HALF)
        within = field.distance <= width
        in_front = known[ARMS[side][2]] and bool((bare & (field.along >= _HAND)).any())
        sleeve = (parsing == Label.UPPER) & (field.along >= length) & (field.along < _HAND)
        sleeve &= field.distance < _SLEEVE_HALF
        if other is not None:
            sleeve &= field.distance <= other.distance
        sleeve &= ~trunk | (within & in_front & (field.along > _APART))
        sleeve &= ~_find_beside_bare(bare, within, parsing == Label.UPPER, field.along)
        result[sleeve] = np.where(within, label, Label.BACKGROUND)[sleeve]
    return result


def _find_beside_bare(bare: Mask, within: Mask, cloth: Mask, along: NDArray[np.floating]) -> Mask:
    """Where (H, W) the arm that a pixel is beside is bare already: cloth there is no sleeve, but the trunk's."""
    place = np.clip((along / _SLICE).astype(int), 0, _SLICES)
    count_bare = np.bincount(place[bare & within], minlength=_SLICES + 1)
    count_cloth = np.bincount(place[cloth & within], minlength=_SLICES + 1)
    is_bare = np.concatenate([np.ones(_CUFF, bool), count_bare > count_cloth])
    return np.asarray(sliding_window_view(is_bare, _CUFF + 1).all(axis=1))[place]


def _find_chain(pose: Pose, arm: tuple[Joint, Joint, Joint], bare: Mask, unit: float) -> NDArray[np.floating] | None:
    """Shoulder, elbow and, if known, where the hand begins (2 or 3, 2); None without an elbow."""
    known = known_joints(pose)
    if not known[arm[0]] or not known[arm[1]]:
        return None
    chain = np.asarray(pose, np.float64)[[joint for joint in arm if known[joint]]]
    if len(chain) == len(arm):
        chain[2] = find_hand(chain, bare, unit)
    return chain


def _find_hem(low: NDArray[np.floating], down: NDArray[np.floating], top: Mask) -> NDArray[np.floating]:
    """Left and right end (2, 2) of the hem of a ``top`` (H, W), ``down`` from a trunk's right and left end ``low``."""
    rows, columns = np.nonzero(top)
    offset = np.stack([columns, rows], axis=1) - low.mean(axis=0)
    half = np.linalg.norm(low[1] - low[0]) / 2
    between = offset[np.abs(offset @ (-down[1], down[0])) < _MIDDLE * half] @ down
    length = max(float(between.max(initial=0.0)), 0.0)
    aside = (low[1] - low[0]) / max(2 * half, 1e-6) * _FLARE * length
    return np.stack([low[1] + aside, low[0] - aside]) + length * down


def _fill_trunk(pose: Pose, size: tuple[int, int], unit: float, top: Mask) -> Mask:
    """Where the trunk is, from any side, clothed in a ``top`` (H, W) that may hang far below it: bool (H, W)."""
    joints, down = np.asarray(pose, np.float64), find_spine(pose)
    shoulders, hips = joints[[Joint.R_SHOULDER, Joint.L_SHOULDER]], joints[[Joint.R_HIP, Joint.L_HIP]]
    across = hips[1] - hips[0]
    length = float(np.linalg.norm(across))
    beside = across / length * _BESIDE_HIP * unit if length > 1e-6 else np.zeros(2)
    low = hips + np.stack([-beside, beside]) + 0.1 * unit * down
    polygon = grid_points_in_poly(size, np.stack([shoulders[0], shoulders[1], low[1], low[0]])[:, ::-1])
    polygon |= grid_points_in_poly(size, np.stack([low[0], low[1], *_find_hem(low, down, top)])[:, ::-1])
    axis = np.stack([shoulders.mean(axis=0) + 0.1 * unit * down, hips.mean(axis=0)])
    return np.asarray(polygon | (measure_limb(axis, size, unit).distance < _TRUNK_HALF))
