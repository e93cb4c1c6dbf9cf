"""Other necklines in a parsing map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.edits.settle import ParsingMap, Pose, Settings
from pgen.body.joints import HEAD_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import find_spine, measure_along_spine, measure_shoulder_half, torso_length
from pgen.errors import InputError

#: Necklines: half their width at the top, in half shoulder widths; how far below the shoulders' line they end in
#: front, in torso lengths; and the power of their curve (1 straight to a point, large ones square). "high" covers the
#: neck up to there, and leaves what is worn higher.
Neckline = tuple[float, float, float]
NECKLINES: dict[str, Neckline] = {
    "round": (0.46, 0.03, 2.2),
    "scoop": (0.55, 0.13, 2.6),
    "v": (0.5, 0.22, 1.0),
    "boat": (0.72, 0.0, 3.0),
    "high": (0.0, -0.16, 1.0),
}

# Where a neckline begins above the shoulders' line, and how far down it is edited, in torso lengths.
_NECK_TOP, _LOWEST = -0.1, 0.4
# Up to where a collar is taken off.
_HIGHEST = -0.27
# Beside it, there is cloth from here on.
_BESIDE_TOP = -0.17
# The trunk across from the neck down, in torso lengths: half its width, and how far it reaches to front and back.
_HEIGHTS = (-0.2, -0.1, 0.0, 0.1, 0.2)
_HALF, _FRONT, _REAR = (0.16, 0.23, 0.32, 0.32, 0.32), (0.11, 0.14, 0.2, 0.27, 0.33), (0.15, 0.2, 0.24, 0.24, 0.24)
# Over which depth the neckline of the back becomes that of the front.
_TURNS = (0.01, 0.1)
# Half the distance of the shoulders of who faces the camera: of those with less, how far they have turned follows.
_FACING = 0.29
# With shoulders closer than this, it must be known to which side a person looks.
_TURNED = 0.75 * _FACING
# A collar lies around the neck, not on it.
_COLLAR = 0.05


def edit_neckline(parsing: ParsingMap, pose: Pose, edits: Settings) -> ParsingMap:
    """``parsing`` (H, W) with the neckline ``edits["neckline"]``, a name of `NECKLINES`; see `cut_neckline`."""
    return cut_neckline(parsing, pose, NECKLINES[str(edits["neckline"])])


def cut_neckline(parsing: ParsingMap, pose: Pose, neckline: Neckline) -> ParsingMap:
    """``parsing`` (H, W) with ``neckline``: above it bare skin, which counts as face, below it cloth.

    The neckline lies around an elliptic trunk, turned as far as the shoulders' distance shows, to the side to which the
    head looks. At the back only "high" changes anything. Raises `InputError` if the person is seen from behind, or it
    is not known where the torso is, or to which side someone seen from the side looks.
    """
    unit = torso_length(pose)
    if not unit:
        raise InputError("the neckline cannot be edited: shoulders or hips are not known")
    if measure_shoulder_half(pose) < 0:
        raise InputError("the neckline cannot be edited: the person is seen from behind")
    joints = np.asarray(pose, np.float64)
    middle = joints[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0)
    below, across = measure_along_spine(middle, find_spine(pose), (parsing.shape[0], parsing.shape[1]))
    below, across = below / unit, across / unit
    side, depth, on_trunk = _map_trunk(below, across, *_measure_turn(pose, unit))
    width, lowest, power = neckline
    if width:
        share = np.abs(side) / (width * max(measure_shoulder_half(pose) / unit, _FACING))
        front = np.clip((depth - _TURNS[0]) / (_TURNS[1] - _TURNS[0]), 0, 1)
        bare = below < _NECK_TOP + front * (lowest - _NECK_TOP) * (1 - share**power)
        bare &= (share < 1) & (front > 0)
        # The back's neckline stays.
        covers = (below > np.where(share < 1, _NECK_TOP, _BESIDE_TOP)) & (front > 0)
    else:  # only adds cloth: what is worn higher, or lies on a shoulder that is nearer than the neck, stays
        bare = np.zeros(parsing.shape, bool)
        covers = below >= lowest
    near = on_trunk & (below < _LOWEST)
    result = parsing.copy()
    result[near & bare & (below > _HIGHEST) & (parsing == Label.UPPER)] = Label.FACE
    result[near & (below > 2 * _NECK_TOP) & ~bare & covers & (parsing == Label.FACE)] = Label.UPPER
    return result


def _measure_turn(pose: Pose, unit: float) -> tuple[float, float]:
    """Cosine and sine of how far the trunk has turned from facing the camera; positive to the right."""
    half = measure_shoulder_half(pose) / unit
    cosine = min(half / _FACING, 1.0)
    sine = float(np.sqrt(1 - cosine**2))
    joints, known = np.asarray(pose, np.float64), known_joints(pose)
    # What of a head is seen is on the side to which it looks; the nose shows it best.
    seen = [Joint.NOSE] if known[Joint.NOSE] else [joint for joint in HEAD_JOINTS if known[joint]]
    if seen:
        down, neck = find_spine(pose), joints[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0)
        return cosine, sine * float(np.sign((joints[seen].mean(axis=0) - neck) @ np.array([down[1], -down[0]])))
    if half < _TURNED:
        raise InputError("the neckline cannot be edited: it is not known to which side the person looks")
    return 1.0, 0.0


def _map_trunk(
    below: NDArray[np.float64], across: NDArray[np.float64], cosine: float, sine: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """What each pixel (H, W) shows of the trunk: how far to its left and to its front, and whether it is on it at all.

    In torso lengths, from the line between the shoulders; beside the trunk what its outline shows.
    """
    half, front, rear = (np.interp(below, _HEIGHTS, values) for values in (_HALF, _FRONT, _REAR))
    deep, center = (front + rear) / 2, (front - rear) / 2
    outline = np.sqrt((half * cosine) ** 2 + (deep * sine) ** 2)
    place = across - center * sine
    on_trunk = np.abs(place) < outline + _COLLAR
    place = np.clip(place, -outline, outline)
    # An ellipse cut by a line of sight: of both places that of the nearer one, towards the camera.
    square = (sine / half) ** 2 + (cosine / deep) ** 2
    linear = place * sine * cosine * (1 / deep**2 - 1 / half**2)
    rest = place**2 * ((cosine / half) ** 2 + (sine / deep) ** 2) - 1
    towards = (-linear + np.sqrt(np.maximum(linear**2 - square * rest, 0))) / square
    return place * cosine - towards * sine, center + place * sine + towards * cosine, on_trunk
