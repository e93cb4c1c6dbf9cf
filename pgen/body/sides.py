"""Which side an arm or a leg is of: that of the nearest limb of a pose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import ARMS, LEGS, measure_along

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
    return measure_along(points, limb if len(limb) > 1 else limb.repeat(2, axis=0))[1]
