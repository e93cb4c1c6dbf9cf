"""The 18 joints on the body, where OpenPose marks them on photos rather than at the mesh's bones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.body.joints import JOINT_COUNT, Joint
from pgen.synthetic.body import Body

#: OpenPose's shoulders lie inside of the shoulder's corner; its hips above and inside of the hip joints. Shares of the
#: bones' distances, fitted to fashion photos: hips .61-.70 of the shoulders' width, trunk 1.49-1.63 of it.
_SHOULDER_IN = 0.93
_SHOULDER_UP = 0.025
_HIP_IN = 0.88
_HIP_UP = 0.03

#: Reference positions of what lies on the face's surface (the person's left).
_NOSE, _EYE, _EAR = (0.0, -0.172, 0.831), (0.031, -0.142, 0.870), (0.084, -0.045, 0.848)


def place_landmarks(body: Body, rest: NDArray[np.floating], heads: NDArray[np.floating]) -> NDArray[np.float64]:
    """Joints (18, 3) of a body at rest, from all its vertices (V, 3) and bone heads (B, 3). The neck is left at 0."""
    result = np.zeros((JOINT_COUNT, 3))

    def head_of(name: str) -> NDArray[np.float64]:
        return heads[body.bone(name)].astype(np.float64)

    for suffix, joints in (
        ("L", (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST, Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE)),
        ("R", (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST, Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE)),
    ):
        shoulder, hip = head_of(f"upperarm01.{suffix}"), head_of(f"upperleg01.{suffix}")
        trunk = shoulder[2] - hip[2]
        names = ("lowerarm01", "wrist", "lowerleg01", "foot")
        elbow, wrist, knee, ankle = (head_of(f"{name}.{suffix}") for name in names)
        shoulder = shoulder * (_SHOULDER_IN, 1, 1) + (0, 0, _SHOULDER_UP * trunk)
        hip = hip * (_HIP_IN, 1, 1) + (0, 0, _HIP_UP * trunk)
        for joint, place in zip(joints, (shoulder, elbow, wrist, hip, knee, ankle), strict=True):
            result[joint] = place
    skin = np.unique(body.faces["body"])
    for on_face, (x, y, z) in {
        Joint.NOSE: _NOSE,
        Joint.L_EYE: _EYE,
        Joint.R_EYE: (-_EYE[0], *_EYE[1:]),
        Joint.L_EAR: _EAR,
        Joint.R_EAR: (-_EAR[0], *_EAR[1:]),
    }.items():
        nearest = skin[np.linalg.norm(body.mean[skin] - (x, y, z), axis=1).argmin()]
        result[on_face] = rest[nearest] + ((x, y, z) - body.mean[nearest])
    return result


def weigh_landmarks(body: Body) -> sparse.csr_matrix:
    """Skinning weights (18, B) of the joints."""
    weights = np.zeros((JOINT_COUNT, len(body.bones)), dtype=np.float32)

    def follow(joint: Joint, **bones: float) -> None:
        for name, share in bones.items():
            weights[joint, body.bone(name)] = share

    for joint in (Joint.NECK, Joint.NOSE, Joint.L_EYE, Joint.R_EYE, Joint.L_EAR, Joint.R_EAR):
        follow(joint, head=1.0)
    for suffix in "LR":
        for part, bone in (
            ("SHOULDER", "shoulder01"),
            ("ELBOW", "lowerarm01"),
            ("WRIST", "wrist"),
            ("HIP", "root"),
            ("KNEE", "lowerleg01"),
            ("ANKLE", "foot"),
        ):
            name = bone if bone == "root" else f"{bone}.{suffix}"
            follow(Joint[f"{suffix}_{part}"], **{name: 1.0})
    return sparse.csr_matrix(weights)
