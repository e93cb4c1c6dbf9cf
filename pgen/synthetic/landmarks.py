"""The 18 joints on the body, where OpenPose marks them on photos rather than at the mesh's bones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.body.joints import JOINT_COUNT, Joint
from pgen.synthetic import Array
from pgen.synthetic.body import Body

#: OpenPose's shoulders lie inside of the shoulder's corner; its hips above and inside of the hip joints. Shares of the
#: bones' distances, fitted to fashion photos: hips .61-.70 of the shoulders' width, trunk 1.49-1.63 of it.
_SHOULDER_IN = 0.93
_SHOULDER_UP = 0.025
_HIP_IN = 0.88
_HIP_UP = 0.03

#: Reference positions of what lies on the face's surface.
_ON_FACE = {
    Joint.NOSE: (0.0, -0.172, 0.831),
    Joint.L_EYE: (0.031, -0.142, 0.870),
    Joint.R_EYE: (-0.031, -0.142, 0.870),
    Joint.L_EAR: (0.084, -0.045, 0.848),
    Joint.R_EAR: (-0.084, -0.045, 0.848),
}

#: Of each joint of the limbs: the bone that starts there, and the one it moves with.
_ON_LIMBS = {
    Joint[f"{side}_{part}"]: (f"{start}.{side}", "root" if part == "HIP" else f"{moving}.{side}")
    for side in "LR"
    for part, start, moving in (
        ("SHOULDER", "upperarm01", "shoulder01"),
        ("ELBOW", "lowerarm01", "lowerarm01"),
        ("WRIST", "wrist", "wrist"),
        ("HIP", "upperleg01", "root"),
        ("KNEE", "lowerleg01", "lowerleg01"),
        ("ANKLE", "foot", "foot"),
    )
}


def place_landmarks(body: Body, rest: Array, heads: Array) -> NDArray[np.float64]:
    """Joints (18, 3) of a body at rest, from all its vertices (V, 3) and bone heads (B, 3). The neck is left at 0."""
    result = np.zeros((JOINT_COUNT, 3))
    for joint, (start, _) in _ON_LIMBS.items():
        result[joint] = heads[body.bone(start)]
    for shoulder, hip in ((Joint.L_SHOULDER, Joint.L_HIP), (Joint.R_SHOULDER, Joint.R_HIP)):
        trunk = result[shoulder, 2] - result[hip, 2]
        result[shoulder] = result[shoulder] * (_SHOULDER_IN, 1, 1) + (0, 0, _SHOULDER_UP * trunk)
        result[hip] = result[hip] * (_HIP_IN, 1, 1) + (0, 0, _HIP_UP * trunk)
    skin = np.unique(body.faces["body"])
    for joint, place in _ON_FACE.items():
        nearest = skin[np.linalg.norm(body.mean[skin] - np.array(place), axis=1).argmin()]
        result[joint] = rest[nearest] + (np.array(place) - body.mean[nearest])
    return result


def weigh_landmarks(body: Body) -> sparse.csr_matrix:
    """Skinning weights (18, B) of the joints."""
    followed = {joint: bone for joint, (_, bone) in _ON_LIMBS.items()}
    bones = [body.bone(followed.get(joint, "head")) for joint in Joint]
    return sparse.csr_matrix(np.eye(len(body.bones), dtype=np.float32)[bones])
