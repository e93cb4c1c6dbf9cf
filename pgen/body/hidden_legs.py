"""Legs of which no joint is known, as a long skirt or wide trousers hide them: where they would stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import LEGS, TORSO_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import FRONTAL, LEG_BONE, torso_length

#: Ankles are so far above the ground, in torso lengths.
ANKLE_HEIGHT = 0.12
#: They are so far from the middle of what hides them at most, as a share of its width.
_ASIDE = 0.25
_CLOTH = (Label.UPPER, Label.PANTS, Label.SKIRT)


def place_hidden_legs(pose: NDArray[np.floating], labels: NDArray[np.uint8]) -> NDArray[np.floating]:
    """``pose`` (18, 2), (x, y) in pixels of the map ``labels`` (H, W), with knees and ankles that cloth hides.

    Legs stand below their hips, from which cloth has to hang down to their knees; where the other leg is known, they
    are as long as that one. All others stay as they are: from the side, where one leg hides the other, and of bodies
    without shoulders and hips. If nothing is hidden it is ``pose`` itself.
    """
    known = known_joints(pose)
    if not known[list(TORSO_JOINTS)].all():
        return pose
    unit = torso_length(pose)
    is_frontal = abs(pose[Joint.L_SHOULDER, 0] - pose[Joint.R_SHOULDER, 0]) > FRONTAL * unit
    cloth = np.isin(labels, _CLOTH)
    placed: dict[Joint, NDArray[np.floating]] = {}
    rows = np.flatnonzero((labels > 0).any(axis=1))
    if not len(rows):
        return pose
    ground = rows[-1] - ANKLE_HEIGHT * unit
    for own, other in (LEGS, LEGS[::-1]):
        hip, knee, ankle = pose[list(own)]
        is_other_known = known[list(other)].all()
        if (known[own[1]] and known[own[2]]) or (is_other_known and not is_frontal):
            continue
        lengths = np.diff(pose[list(other), 1])
        if not (lengths > 0).all():  # it is not known, or raised
            lengths = np.full(2, (ground - hip[1]) / 2)
        if rows[-1] >= len(labels) - 1:  # the photo ends before they do
            lengths = np.maximum(lengths, LEG_BONE * unit)
        if not (lengths > 0).all():
            continue
        side = 1.0 if hip[0] >= pose[other[0], 0] else -1.0
        if not known[own[1]]:
            knee = _place_joint(cloth, hip[1] + lengths[0], hip, pose[other[0]], side)
        if not known[own[2]] and knee is not None:
            ankle = _place_joint(cloth, knee[1] + lengths[1], hip, pose[other[0]], side)
            ankle = np.array([knee[0], knee[1] + lengths[1]]) if ankle is None else ankle
        if knee is not None:
            placed |= {own[1]: knee, own[2]: ankle}
    if not placed:
        return pose
    found = np.array(pose, copy=True)
    found[list(placed)] = list(placed.values())
    return found


def add_standing_legs(pose: NDArray[np.floating], like: NDArray[np.floating]) -> NDArray[np.floating]:
    """``pose`` (18, 2) with knees and ankles that it lacks and the body ``like`` (18, 2), as large as it, knows.

    They stand straight below hip or knee, as far from it as there; a knee is on the way to an ankle that is known. If
    nothing is lacking it is ``pose`` itself.
    """
    found = np.array(pose, copy=True)
    for leg in LEGS:
        known, there = known_joints(found)[list(leg)], known_joints(like)[list(leg)]
        if known.tolist() == [True, False, True] and there.all():
            hip, knee, ankle = leg
            thigh, shin = np.linalg.norm(np.diff(like[list(leg)], axis=0), axis=1)
            found[knee] = found[hip] + thigh / max(thigh + shin, 1e-6) * (found[ankle] - found[hip])
            continue
        for joint, above, is_known, is_there in zip(leg[1:], leg, known[1:], there[1:], strict=False):
            if not is_known and is_there and known_joints(found)[above] and known_joints(like)[above]:
                found[joint] = found[above] + (0, np.linalg.norm(like[joint] - like[above]))
    return found if (known_joints(found) != known_joints(pose)).any() else pose


def _place_joint(
    cloth: NDArray[np.bool_], row: float, hip: NDArray[np.floating], other: NDArray[np.floating], side: float
) -> NDArray[np.floating] | None:
    """The place (2,) of a joint in ``row`` of the ``cloth`` (H, W) around both hips; None where there is none."""
    at = round(min(row, len(cloth) - 1))
    middle, half = (hip[0] + other[0]) / 2, abs(hip[0] - other[0])
    columns = np.flatnonzero(cloth[at])
    columns = columns[np.abs(columns - middle) < 3 * max(half, 1)]
    if not len(columns):
        return None
    aside = min(half / 2, _ASIDE * (columns[-1] - columns[0]))
    return np.array([(columns[0] + columns[-1]) / 2 + side * aside, row])
