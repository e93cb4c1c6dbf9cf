"""Shoulders and hips that a pose lacks, completed from the proportions of a body.

Every part is measured in torso lengths, so a pose without both shoulders and both hips cannot be used as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import ARMS, FLIP_JOINTS, JOINTS, LEGS, TORSO_JOINTS, Joint, known_joints
from pgen.errors import InputError

#: Proportions of an upright body seen from the front, in shoulder widths.
TORSO_PER_SHOULDERS = 1.5
HIPS_PER_SHOULDERS = 0.65
NECK_TO_NOSE_PER_SHOULDERS = 0.55

# A shoulder line shorter than this share of its expected width is seen from the side: its slope says nothing.
_SIDE_VIEW = 0.5

_DOWN = np.array([0.0, 1.0])
# From the right shoulder to the left one, of a person who faces the camera.
_ACROSS = np.array([1.0, 0.0])


def list_missing_torso(pose: NDArray[np.floating]) -> tuple[str, ...]:
    """Names of the shoulders and hips that ``pose`` (18, 2) lacks."""
    known = known_joints(pose)
    return tuple(JOINTS[joint] for joint in TORSO_JOINTS if not known[joint])


def list_missing_limbs(pose: NDArray[np.floating]) -> tuple[str, ...]:
    """Names of the joints that ``pose`` (18, 2) lacks to show a limb: knees and ankles, elbows with their wrists."""
    known = known_joints(pose)
    lacking = [joint for _, *limb in LEGS for joint in limb if not known[joint]]
    for _, *limb in ARMS:
        lacking += limb if not known[limb].any() else []
    return tuple(JOINTS[joint] for joint in lacking)


def complete_torso(pose: NDArray[np.floating], size: tuple[int, int]) -> tuple[NDArray[np.float32], list[str]]:
    """``pose`` with both shoulders and both hips, and a warning for every joint that had to be assumed.

    A shoulder is mirrored at the neck, or placed beside the other one in parallel to the hips; shoulders of
    which none is known go to either side of the neck. A hip is placed beside the other one in parallel to the
    shoulders; hips of which none is known go below the shoulders. What else is needed is taken from the
    proportions of a front view. Joints that are known stay as they are.

    Args:
        pose: (18, 2) of (x, y) in pixels; NaN = missing.
        size: (height, width) of the frame, to say when a completed joint lies outside; it is left there.

    Returns:
        A new float32 pose (18, 2), and one line a completed joint.

    Raises:
        InputError: too little is known: neither a shoulder with neck or hip, nor the neck with nose or hip, nor both
            hips.
    """
    body = _Body(pose)
    lacking = [joint for joint in TORSO_JOINTS if not body.has(joint)]
    body.complete_shoulders()
    body.complete_hips()
    warnings = []
    for joint in lacking:
        x, y = body.joints[joint]
        outside = "" if -0.5 <= x <= size[1] - 0.5 and -0.5 <= y <= size[0] - 0.5 else ", outside the frame"
        warnings.append(f"{JOINTS[joint]} is missing: placed at ({x:.0f}, {y:.0f}){outside}, {body.reasons[joint]}")
    return body.joints.astype(np.float32), warnings


class _Body:
    """The joints as far as they are known, and why each new one was placed where it is."""

    def __init__(self, pose: NDArray[np.floating]) -> None:
        self.joints = np.array(pose, dtype=np.float64)
        self.reasons: dict[Joint, str] = {}

    def has(self, *joints: Joint) -> bool:
        return bool(np.isfinite(self.joints[list(joints)]).all())

    def complete_shoulders(self) -> None:
        if not self.has(Joint.R_SHOULDER) and not self.has(Joint.L_SHOULDER):
            self._place_shoulders()
        for joint in (Joint.R_SHOULDER, Joint.L_SHOULDER):
            if not self.has(joint):
                self._place_second_shoulder(joint)

    def _place_shoulders(self) -> None:
        """Both shoulders, from the neck or from the hips."""
        hips = [joint for joint in (Joint.R_HIP, Joint.L_HIP) if self.has(joint)]
        hip_center = self.joints[hips].mean(axis=0) if hips else None
        if len(hips) == 2:
            across = (self.joints[Joint.L_HIP] - self.joints[Joint.R_HIP]) / HIPS_PER_SHOULDERS
            reason = "in parallel to the hips"
        elif self.has(Joint.NECK) and hip_center is not None:
            length = np.linalg.norm(self.joints[Joint.NECK] - hip_center)
            across, reason = _ACROSS * length / TORSO_PER_SHOULDERS, "beside the neck"
        elif self.has(Joint.NECK, Joint.NOSE):
            length = np.linalg.norm(self.joints[Joint.NECK] - self.joints[Joint.NOSE])
            across, reason = _ACROSS * length / NECK_TO_NOSE_PER_SHOULDERS, "beside the neck"
        else:
            raise self._build_error()
        if self.has(Joint.NECK):
            center = self.joints[Joint.NECK]
        else:
            assert hip_center is not None
            center = hip_center - _DOWN * TORSO_PER_SHOULDERS * np.linalg.norm(across)
        self._place(Joint.R_SHOULDER, center - across / 2, reason)
        self._place(Joint.L_SHOULDER, center + across / 2, reason)

    def _place_second_shoulder(self, joint: Joint) -> None:
        other = self.joints[FLIP_JOINTS[joint]]
        sign = 1 if joint == Joint.L_SHOULDER else -1
        if self.has(Joint.NECK):
            self._place(joint, 2 * self.joints[Joint.NECK] - other, "the other shoulder mirrored at the neck")
        elif self.has(Joint.R_HIP, Joint.L_HIP):
            across = (self.joints[Joint.L_HIP] - self.joints[Joint.R_HIP]) / HIPS_PER_SHOULDERS
            self._place(joint, other + sign * across, "beside the other shoulder, in parallel to the hips")
        elif self.has(Joint.R_HIP) or self.has(Joint.L_HIP):
            hip = self.joints[Joint.R_HIP if self.has(Joint.R_HIP) else Joint.L_HIP]
            across = _ACROSS * np.linalg.norm(other - hip) / TORSO_PER_SHOULDERS
            self._place(joint, other + sign * across, "beside the other shoulder, as if seen from the front")
        else:
            raise self._build_error()

    def complete_hips(self) -> None:
        """Hips that are missing, once both shoulders are there."""
        across = HIPS_PER_SHOULDERS * (self.joints[Joint.L_SHOULDER] - self.joints[Joint.R_SHOULDER])
        if not self.has(Joint.R_HIP) and not self.has(Joint.L_HIP):
            center = self.joints[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0) + self._find_spine()
            self._place(Joint.R_HIP, center - across / 2, "below the shoulders")
            self._place(Joint.L_HIP, center + across / 2, "below the shoulders")
        for joint, to_joint in ((Joint.R_HIP, -across), (Joint.L_HIP, across)):
            if not self.has(joint):
                other = self.joints[FLIP_JOINTS[joint]]
                self._place(joint, other + to_joint, "beside the other hip, in parallel to the shoulders")

    def _find_spine(self) -> NDArray[np.float64]:
        """From between the shoulders to between the hips: square to the shoulders, or down in a side view."""
        shoulders = self.joints[Joint.L_SHOULDER] - self.joints[Joint.R_SHOULDER]
        width = expected = float(np.linalg.norm(shoulders))
        if self.has(Joint.NECK, Joint.NOSE):
            neck_to_nose = np.linalg.norm(self.joints[Joint.NECK] - self.joints[Joint.NOSE])
            expected = max(width, float(neck_to_nose) / NECK_TO_NOSE_PER_SHOULDERS)
        if expected == 0:
            raise self._build_error()
        square = np.array([-shoulders[1], shoulders[0]]) / max(width, 1e-12)
        direction = _DOWN if width < _SIDE_VIEW * expected else square * (1 if square[1] >= 0 else -1)
        return TORSO_PER_SHOULDERS * expected * direction

    def _place(self, joint: Joint, position: NDArray[np.float64], reason: str) -> None:
        self.joints[joint] = position
        self.reasons[joint] = reason

    def _build_error(self) -> InputError:
        present = [JOINTS[joint] for joint in (*TORSO_JOINTS, Joint.NECK, Joint.NOSE) if self.has(joint)]
        return InputError(
            f"it shows too little of the torso (of shoulders, hips, neck and nose only: "
            f"{', '.join(present) or 'none'}): give at least one shoulder with the neck or a hip"
        )
