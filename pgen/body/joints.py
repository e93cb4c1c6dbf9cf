"""The 18 joints of a pose, in OpenPose's COCO-18 order.

A pose is a float array (18, 2) of (x, y) in pixels, pixel centres at integer coordinates; missing joints
are NaN.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


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

#: Segments between joints, as drawn and as used for the pose mask.
BONES: tuple[tuple[Joint, Joint], ...] = (
    (Joint.NECK, Joint.R_SHOULDER),
    (Joint.R_SHOULDER, Joint.R_ELBOW),
    (Joint.R_ELBOW, Joint.R_WRIST),
    (Joint.NECK, Joint.L_SHOULDER),
    (Joint.L_SHOULDER, Joint.L_ELBOW),
    (Joint.L_ELBOW, Joint.L_WRIST),
    (Joint.NECK, Joint.R_HIP),
    (Joint.R_HIP, Joint.R_KNEE),
    (Joint.R_KNEE, Joint.R_ANKLE),
    (Joint.NECK, Joint.L_HIP),
    (Joint.L_HIP, Joint.L_KNEE),
    (Joint.L_KNEE, Joint.L_ANKLE),
    (Joint.NECK, Joint.NOSE),
    (Joint.NOSE, Joint.R_EYE),
    (Joint.R_EYE, Joint.R_EAR),
    (Joint.NOSE, Joint.L_EYE),
    (Joint.L_EYE, Joint.L_EAR),
)

#: ``pose[FLIP_JOINTS]`` swaps left and right joints (mirror the x coordinates as well).
FLIP_JOINTS: tuple[int, ...] = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)


def known_joints(pose: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which joints of ``pose`` (..., 18, 2) are known: bool (..., 18)."""
    return np.isfinite(pose).all(axis=-1)
