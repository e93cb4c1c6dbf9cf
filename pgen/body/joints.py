"""The 18 joints of a pose, in OpenPose's COCO-18 order.

A pose is a float array (18, 2) of (x, y) in pixels, pixel centers at integer coordinates; missing joints are NaN.
Whole batches of poses are tensors (B, 18, 2).
"""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


class Joint(IntEnum):
    """Joint indices; right and left are the person's own."""

    NOSE = 0
    NECK = 1
    R_SHOULDER = 2
    R_ELBOW = 3
    R_WRIST = 4
    L_SHOULDER = 5
    L_ELBOW = 6
    L_WRIST = 7
    R_HIP = 8
    R_KNEE = 9
    R_ANKLE = 10
    L_HIP = 11
    L_KNEE = 12
    L_ANKLE = 13
    R_EYE = 14
    L_EYE = 15
    R_EAR = 16
    L_EAR = 17


JOINT_COUNT = len(Joint)
JOINTS: tuple[str, ...] = tuple(joint.name.lower() for joint in Joint)

HEAD_JOINTS: tuple[Joint, ...] = (Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR)
TORSO_JOINTS: tuple[Joint, ...] = (Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.R_HIP, Joint.L_HIP)

#: The joints of each limb, right and left.
ARMS: tuple[tuple[Joint, Joint, Joint], ...] = (
    (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST),
    (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST),
)
LEGS: tuple[tuple[Joint, Joint, Joint], ...] = (
    (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE),
    (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE),
)

_CHAINS: tuple[tuple[Joint, ...], ...] = (
    *((Joint.NECK, *limb) for limb in (*ARMS, *LEGS)),
    (Joint.NECK, Joint.NOSE, Joint.R_EYE, Joint.R_EAR),
    (Joint.NOSE, Joint.L_EYE, Joint.L_EAR),
)
#: Segments between joints, as drawn and as used for the pose mask.
BONES: tuple[tuple[Joint, Joint], ...] = tuple(bone for chain in _CHAINS for bone in pairwise(chain))

#: ``pose[FLIP_JOINTS]`` swaps left and right joints (mirror the x coordinates as well).
FLIP_JOINTS: tuple[int, ...] = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)


@overload
def known_joints(poses: NDArray[np.floating]) -> NDArray[np.bool_]: ...
@overload
def known_joints(poses: Tensor) -> Tensor: ...
def known_joints(poses: Any) -> Any:
    """Which joints of ``poses`` (..., 18, 2), an array or a tensor, are known: bool (..., 18)."""
    return (abs(poses) < np.inf).all(-1)


def shows_face(pose: NDArray[np.floating]) -> bool:
    """Whether nose or eyes of ``pose`` (18, 2) are known: heads from behind have none."""
    return bool(known_joints(pose)[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE]].any())


def fill_missing(poses: Tensor) -> tuple[Tensor, Tensor]:
    """``poses`` in float64 with 0 for the missing joints, and which are known, bool (B, 18).

    In less precision joints would be half a pixel off, which shows.
    """
    known = known_joints(poses)
    return poses.double().masked_fill(~known[..., None], 0), known


def fill_gaps(pose: Any) -> Any:
    """A list of joints with (NaN, NaN) for each that is None; anything else as it is."""
    return [(np.nan, np.nan) if joint is None else joint for joint in pose] if isinstance(pose, list) else pose
