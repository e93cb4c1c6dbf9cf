"""Which side an arm or a leg is of: that of the nearest limb of a pose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import ARMS, LEGS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import measure_along

ARM, LEG = "arm", "leg"

#: The labels of both sides, each with the joints of its limb.
SIDES: Mapping[str, tuple[tuple[Label, tuple[Joint, ...]], ...]] = {
    ARM: ((Label.L_ARM, ARMS[1]), (Label.R_ARM, ARMS[0])),
    LEG: ((Label.L_LEG, LEGS[1]), (Label.R_LEG, LEGS[0])),
}


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
        rows, columns = np.nonzero(np.isin(parsing, [label for label, _ in sides]))
        found = find_nearest_sides(np.stack([columns, rows], axis=1), pose, limb) if len(rows) else None
        if found is not None:
            labels, margin = found
            result[rows, columns] = np.where(margin >= clearly, labels, parsing[rows, columns])
    return result
