"""From the 33 landmarks of BlazePose to the 18 joints of a pose.

Landmarks are numbered as in Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking" (2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, TORSO_JOINTS, Joint

_NOSE, _L_EYE, _R_EYE, _L_EAR, _R_EAR, _L_MOUTH, _R_MOUTH = 0, 2, 5, 7, 8, 9, 10
_L_SHOULDER, _R_SHOULDER, _L_HIP, _R_HIP = 11, 12, 23, 24

#: The landmark of each joint, in the order of `Joint`; the neck, which has none, lies midway between the shoulders.
_OF_JOINT = [_NOSE, _NOSE, _R_SHOULDER, 14, 16, _L_SHOULDER, 13, 15, _R_HIP, 26, 28, _L_HIP, 25, 27]
_OF_JOINT += [_R_EYE, _L_EYE, _R_EAR, _L_EAR]

#: ``landmarks[MIRRORED]`` swaps left and right.
MIRRORED = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i for pair in range(11, 33, 2) for i in (pair + 1, pair))])

# OpenPose marks some joints elsewhere than BlazePose. By joints: those they hang on, the share of the way between the
# two by which they move on, and the share of the spine (from between the shoulders to between the hips) by which they
# move along it. Least absolute deviations of 200 synthetic people; another 200 give the same to within 0.01.
_CORRECTIONS: tuple[tuple[list[Joint], list[Joint], float, float], ...] = (
    ([Joint.NOSE], [Joint.NECK], 0.047, 0.034),
    ([Joint.NECK], [Joint.NECK], 0.0, 0.026),
    ([Joint.R_ELBOW, Joint.L_ELBOW], [Joint.R_SHOULDER, Joint.L_SHOULDER], 0.043, 0.003),
    ([Joint.R_WRIST, Joint.L_WRIST], [Joint.R_ELBOW, Joint.L_ELBOW], -0.063, 0.006),
    ([Joint.R_SHOULDER, Joint.L_SHOULDER], [Joint.NECK], -0.058, 0.025),
    ([Joint.R_KNEE, Joint.L_KNEE], [Joint.R_HIP, Joint.L_HIP], 0.058, -0.018),
    ([Joint.R_ANKLE, Joint.L_ANKLE], [Joint.R_KNEE, Joint.L_KNEE], 0.03, 0.02),
    ([Joint.R_HIP, Joint.L_HIP], [Joint.R_HIP, Joint.L_HIP], 0.0, -0.042),
    ([Joint.R_EYE, Joint.L_EYE], [Joint.NOSE], -0.088, 0.0),
    ([Joint.R_EAR, Joint.L_EAR], [Joint.NOSE], 0.342, 0.035),
)

# From behind, BlazePose sees hips too narrow: shares of hips' and shoulders' half widths that make OpenPose's, fitted
# likewise.
_HIPS_FROM_BEHIND = (0.43, 0.37)

# A limb's joint is taken to be seen from this visibility on. Trunks are always given, as every part hangs on them.
_ARM_VISIBLE, _LEG_VISIBLE = 0.15, 0.6
_LEGS = (Joint.R_KNEE, Joint.R_ANKLE, Joint.L_KNEE, Joint.L_ANKLE)

# Up to where parts of the head are seen, by the depth (away from the camera) of unit vectors in the world: from
# between the ears to the nose, that plus half of the one to the side of the eye, and the one to the side of the ear.
# With these, 97, 96 and 90 % of 400 synthetic people's noses, eyes and ears are right.
_NOSE_DEPTH, _EYE_DEPTH, _EAR_DEPTH = 0.5, 0.0, 0.2


@dataclass(frozen=True)
class Landmarks:
    """What BlazePose finds of one person."""

    points: NDArray[np.float64]  #: (33, 2), (x, y) in pixels
    world: NDArray[np.float64]  #: (33, 3), metres: x as in the picture, y down, z away from the camera
    visibility: NDArray[np.float64]  #: (33,), 0 to 1
    silhouette: NDArray[np.float32]  #: (H, W), 0 to 1

    @property
    def torso(self) -> NDArray[np.float64]:
        """The spine (2,), from between the shoulders to between the hips, pixels."""
        return self.points[[_L_HIP, _R_HIP]].mean(0) - self.points[[_L_SHOULDER, _R_SHOULDER]].mean(0)

    @property
    def faces_camera(self) -> bool:
        """Whether the person is seen from the front, by the order of the shoulders along the picture's rows."""
        return bool(self.points[_L_SHOULDER, 0] > self.points[_R_SHOULDER, 0])

    @property
    def head(self) -> tuple[NDArray[np.float64], float]:
        """The middle of the face (2,) and how far it reaches from there, in pixels."""
        eyes, mouth = self.points[[_L_EYE, _R_EYE]].mean(0), self.points[[_L_MOUTH, _R_MOUTH]].mean(0)
        return self.points[_NOSE], max(float(np.linalg.norm(mouth - eyes)), 0.1 * float(np.linalg.norm(self.torso)))

    def relabel(self) -> Landmarks:
        """The same places, with left called right: what it is if front was taken for back."""
        world = self.world[MIRRORED] * (1, 1, -1)
        return Landmarks(self.points[MIRRORED], world, self.visibility[MIRRORED], self.silhouette)

    def mirror(self) -> Landmarks:
        """What it would be if the picture, as wide as the silhouette, were mirrored."""
        points, world = self.points[MIRRORED].copy(), self.world[MIRRORED].copy()
        points[:, 0] = self.silhouette.shape[1] - 1 - points[:, 0]
        world[:, 0] *= -1
        return Landmarks(points, world, self.visibility[MIRRORED], self.silhouette[:, ::-1])


def to_pose(found: Landmarks, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Joints (18, 2) and confidences (18,) in a photo of ``size`` (height, width).

    Joints outside the photo, hidden limbs, and parts of the head that are turned away are NaN with confidence 0.
    """
    raw, confidence = found.points[_OF_JOINT], found.visibility[_OF_JOINT]
    hips, shoulders = [Joint.R_HIP, Joint.L_HIP], [Joint.R_SHOULDER, Joint.L_SHOULDER]
    raw[Joint.NECK], confidence[Joint.NECK] = raw[shoulders].mean(0), confidence[shoulders].min()
    pose = raw.copy()
    for joints, anchors, onward, along in _CORRECTIONS:
        pose[joints] += onward * (raw[joints] - raw[anchors]) + along * found.torso
    if not found.faces_camera:
        out = raw[hips] - raw[hips].mean(0)
        wider = _HIPS_FROM_BEHIND[0] * out + _HIPS_FROM_BEHIND[1] * (raw[shoulders] - raw[Joint.NECK])
        pose[hips] += wider - out
    height, width = size
    seen: NDArray[np.bool_] = _find_seen_head(found) & (pose >= 0).all(1) & (pose <= (width - 1, height - 1)).all(1)
    least = np.full(JOINT_COUNT, _ARM_VISIBLE)
    least[list(_LEGS)], least[[*TORSO_JOINTS, Joint.NECK]] = _LEG_VISIBLE, -np.inf
    seen &= confidence > least
    pose[~seen], confidence[~seen] = np.nan, 0.0
    return pose.astype(np.float32), confidence.astype(np.float32)


def _find_seen_head(found: Landmarks) -> NDArray[np.bool_]:
    """Which joints are not on a side of the head that is turned away: bool (18,).

    BlazePose calls nose and eyes visible even from behind, so the head's direction decides.
    """
    left, right, nose = found.world[[_L_EAR, _R_EAR, _NOSE]]
    forward = _normalize(nose - (left + right) / 2)[2]
    leftward = _normalize(left - right)[2]
    seen = np.ones(JOINT_COUNT, dtype=bool)
    seen[Joint.NOSE] = forward < _NOSE_DEPTH
    seen[Joint.L_EYE], seen[Joint.R_EYE] = (forward + 0.5 * side * leftward < _EYE_DEPTH for side in (1, -1))
    seen[Joint.L_EAR], seen[Joint.R_EAR] = (side * leftward < _EAR_DEPTH for side in (1, -1))
    return seen


def _normalize(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
