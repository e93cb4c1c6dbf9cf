"""Which side an arm or a leg is of: that of the nearest limb of a pose."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known_joints
from pgen.body.labels import Label

ARM, LEG = "arm", "leg"

#: The labels of both sides, each with the joints of its limb.
SIDES: Mapping[str, tuple[tuple[Label, tuple[Joint, ...]], ...]] = {
    ARM: (
        (Label.L_ARM, (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST)),
        (Label.R_ARM, (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST)),
    ),
    LEG: (
        (Label.L_LEG, (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE)),
        (Label.R_LEG, (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE)),
    ),
}


def find_nearest_sides(
    points: NDArray[np.floating], pose: NDArray[np.floating], limb: str
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """The label (N,) of the ``limb``, `ARM` or `LEG`, that each point (N, 2), (x, y), is nearest to; and how clearly.

    That is by how many pixels the other one is farther, infinite if no joint of it is known. None if the pose (18, 2)
    knows no joint of either.
    """
    there = known_joints(pose)
    limbs = [pose[[joint for joint in joints if there[joint]]] for _, joints in SIDES[limb]]
    if not any(map(len, limbs)):
        return None
    distances = np.array([_measure_distance(points, joints) for joints in limbs])
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
        rows, columns = np.nonzero(np.isin(parsing, [label for label, _ in sides]))
        found = find_nearest_sides(np.stack([columns, rows], axis=1), pose, limb) if len(rows) else None
        if found is not None:
            labels, margin = found
            result[rows, columns] = np.where(margin >= clearly, labels, parsing[rows, columns])
    return result


def _measure_distance(points: NDArray[np.floating], limb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance of each point (N, 2) from the line through the joints of ``limb`` (0 to 3, 2); infinite without any."""
    if not len(limb):
        return np.full(len(points), np.inf)
    bones = list(pairwise(limb)) or [(limb[0], limb[0])]
    found = []
    for start, end in bones:
        bone = (end - start).astype(np.float64)
        along = np.clip((points - start) @ bone / max(float(bone @ bone), 1e-12), 0, 1)
        found.append(np.linalg.norm(points - start - along[:, None] * bone, axis=1))
    return np.min(found, axis=0)
