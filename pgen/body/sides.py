"""Which side an arm or a leg is of, and what skin is of: the nearest limb of a pose tells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import ARMS, HEAD_JOINTS, LEGS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import measure_along

ARM, LEG = "arm", "leg"

_LENGTHENED = 0.4  # of a bone of a limb, beyond its end: hands and feet, and where a sleeve or hem has its edge
_NECK_SHARE = 0.35  # how far above the neck the middle of a head is, in lengths of the trunk

#: The labels of both sides, each with the joints of its limb.
SIDES: Mapping[str, tuple[tuple[Label, tuple[Joint, ...]], ...]] = {
    ARM: ((Label.L_ARM, ARMS[1]), (Label.R_ARM, ARMS[0])),
    LEG: ((Label.L_LEG, LEGS[1]), (Label.R_LEG, LEGS[0])),
}

_STRIP = 256  # rows that are worked on at a time


def find_nearest_sides(
    points: NDArray[np.floating], pose: NDArray[np.floating], limb: str
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """The label (N,) of the ``limb``, `ARM` or `LEG`, that each point (N, 2), (x, y), is nearest to; and how clearly.

    That is by how many pixels the other one is farther, infinite if no joint of it is known. None if the pose (18, 2)
    knows no joint of either.
    """
    known = known_joints(pose)
    limbs = [pose[[joint for joint in joints if known[joint]]] for _, joints in SIDES[limb]]
    if not any(map(len, limbs)):
        return None
    # A single joint is a line without length.
    lines = [joints.repeat(2, axis=0) if len(joints) == 1 else joints for joints in limbs]
    distances = np.array([measure_along(points, line)[1] for line in lines])
    labels = np.array([label for label, _ in SIDES[limb]], np.uint8)[distances.argmin(axis=0)]
    return labels, np.abs(distances[0] - distances[1])


def assign_nearest_sides(
    parsing: NDArray[np.uint8], pose: NDArray[np.floating], clearly: float = 0.0
) -> NDArray[np.uint8]:
    """The map, uint8 (H, W), with every pixel of an arm or a leg on the side of the limb of ``pose`` it is nearest to.

    Pixels stay as they are where the other limb is farther by less than ``clearly`` pixels, as where two arms cross, or
    the pose (18, 2) knows nothing of both limbs.
    """
    result = parsing.copy()
    for limb, sides in SIDES.items():
        for top in range(0, len(parsing), _STRIP):  # distances of all pixels would be many times as large as the map
            strip = parsing[top : top + _STRIP]
            rows, columns = np.nonzero((strip == sides[0][0]) | (strip == sides[1][0]))
            rows += top
            found = find_nearest_sides(np.stack([columns, rows], axis=1), pose, limb) if len(rows) else None
            if found is not None:
                labels, margin = found
                result[rows, columns] = np.where(margin >= clearly, labels, parsing[rows, columns])
    return result


def find_nearest_skin(points: NDArray[np.floating], pose: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    """What skin at each point (N, 2), (x, y), is of: the label (N,) of the face, an arm or a leg.

    It is whichever has the nearest bone: that from head to neck, or those of a limb, lengthened by `_LENGTHENED`. None
    if the pose (18, 2) knows no bone at all.
    """
    known = known_joints(pose)
    seen = [joint for joint in HEAD_JOINTS if known[joint]]
    bones: list[tuple[Label, NDArray[np.floating], NDArray[np.floating]]] = []
    if seen or known[Joint.NECK]:
        head = pose[seen].mean(axis=0) if seen else pose[Joint.NECK] + _find_way_up(pose)
        bones.append((Label.FACE, head, pose[Joint.NECK] if known[Joint.NECK] else head))
    for label, joints in (side for sides in SIDES.values() for side in sides):
        for start, end in pairwise(joints):
            if known[start] and known[end]:
                bones.append((label, pose[start], pose[end] + _LENGTHENED * (pose[end] - pose[start])))
    if not bones:
        return None
    distances = [measure_along(points, np.stack([start, end]))[1] for _, start, end in bones]
    labels: NDArray[np.uint8] = np.array([label for label, _, _ in bones], np.uint8)[np.argmin(distances, axis=0)]
    return labels


def _find_way_up(pose: NDArray[np.floating]) -> NDArray[np.floating]:
    """From the neck to where a head is that no joint tells, (2,): away from the hips, else upwards by the shoulders."""
    hips = [joint for joint in (Joint.R_HIP, Joint.L_HIP) if known_joints(pose)[joint]]
    if hips:
        return _NECK_SHARE * (pose[Joint.NECK] - pose[hips].mean(axis=0))
    across = float(np.nan_to_num(np.linalg.norm(pose[Joint.R_SHOULDER] - pose[Joint.L_SHOULDER])))
    return np.array([0.0, -0.5 * across])
