"""From a body pose to the transforms of the bones of a particular mesh.

Legs, trunk and head turn by the body pose's angles; hands go where the body pose says by two-bone inverse kinematics.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgen.synthetic import Array
from pgen.synthetic.body import Body, compute_bone_transforms
from pgen.synthetic.body_pose import ArmPose, BodyPose
from pgen.synthetic.person_mesh import PersonMesh

Vector = Array  # (3,)
Matrix = Array  # (3, 3)

#: How the bones of the trunk and of the neck share their bend.
_TRUNK = {"spine05": 0.2, "spine04": 0.2, "spine03": 0.25, "spine02": 0.2, "spine01": 0.15}
_NECK = {"neck01": 0.2, "neck02": 0.2, "neck03": 0.25, "head": 0.35}

#: How far raised arms lift the shoulders, and how far hands turn outwards, by the arm's kind; radians.
_LIFT = {"up": 0.42, "raised": 0.15, "hair": 0.25}
_HAND_ROLL = {"hang": -0.1, "thigh": -0.1, "hip": -0.5, "swing": -0.1, "behind": 0.4}


def solve_pose(body: Body, mesh: PersonMesh, pose: BodyPose) -> NDArray[np.float64]:
    """Bone transforms (B, 3, 4) of a mesh in a body pose."""
    rotations: dict[str, Matrix] = {"root": rotate_z(pose.yaw) @ rotate_x(-pose.lean) @ rotate_y(pose.roll)}
    for name, share in _TRUNK.items():
        bend = rotate_y(share * (pose.side_bend - pose.roll)) @ rotate_x(-share * pose.bow)
        rotations[name] = rotate_z(share * pose.twist) @ bend
    for name, share in _NECK.items():
        yaw, roll, pitch = share * pose.head_yaw, share * pose.head_roll, share * pose.head_pitch
        rotations[name] = rotate_z(yaw) @ rotate_y(roll) @ rotate_x(pitch)
    sides = (("L", 1.0, pose.left_leg, pose.left_arm), ("R", -1.0, pose.right_leg, pose.right_arm))
    for suffix, side, leg, arm in sides:
        # At rest the legs stand apart by some 0.09 rad; a hip that is raised by the roll is made up for.
        inward = rotate_y(side * (0.085 - leg.spread) - pose.roll)
        rotations[f"upperleg01.{suffix}"] = rotate_z(side * leg.turn) @ rotate_x(-leg.flex) @ inward
        rotations[f"lowerleg01.{suffix}"] = rotate_x(leg.knee)
        rotations[f"foot.{suffix}"] = rotate_x(0.75 * (leg.flex - leg.knee))
        # At rest the arms are half raised and the shoulders with them.
        rotations[f"clavicle.{suffix}"] = rotate_y(-side * _LIFT.get(arm.kind, -0.1))
        index, little = (mesh.heads[body.bone(f"finger{finger}-1.{suffix}")] for finger in (2, 5))
        knuckles = side * (index - little)  # the axis that fingers curl about
        knuckles = (knuckles / np.linalg.norm(knuckles)).astype(np.float64)
        curl = 2.3 if arm.kind == "hip" else 1.0  # hands on hips are fists
        for finger, (joint, angle) in product(range(2, 6), ((1, 0.4), (2, 0.5), (3, 0.4))):
            rotations[f"finger{finger}-{joint}.{suffix}"] = rotate_about(knuckles, curl * angle)
    placed = compute_bone_transforms(body, mesh.heads, rotations)
    for suffix, side, _, arm in sides:
        rotations |= _place_arm(body, mesh, placed, arm, suffix, side)
    return compute_bone_transforms(body, mesh.heads, rotations)


def _place_arm(
    body: Body, mesh: PersonMesh, placed: Array, arm: ArmPose, suffix: str, side: float
) -> dict[str, Matrix]:
    """Rotations of an arm's bones, given the transforms (B, 3, 4) of the trunk."""
    heads = mesh.heads.astype(np.float64)
    shoulder, elbow, wrist = (heads[body.bone(f"{name}.{suffix}")] for name in ("upperarm01", "lowerarm01", "wrist"))
    upper_length, fore_length = float(np.linalg.norm(elbow - shoulder)), float(np.linalg.norm(wrist - elbow))
    goal, pole, bone = _choose_goal(body, mesh, arm, side, upper_length + fore_length)
    target = placed[bone][:, :3] @ goal + placed[bone][:, 3]
    base = placed[body.bone(f"shoulder01.{suffix}")]
    pole = placed[body.bone("spine01")][:, :3] @ pole
    upper, fore = solve_two_bones(base[:, :3] @ shoulder + base[:, 3], target, pole, upper_length, fore_length)

    upper_rest, fore_rest = (elbow - shoulder) / upper_length, (wrist - elbow) / fore_length
    hinge_rest, hinge = normalize(np.cross(upper_rest, fore_rest)), normalize(np.cross(upper, fore))
    whole = build_frame(upper, hinge) @ build_frame(upper_rest, hinge_rest).T
    local = base[:, :3].T @ whole
    swing = rotate_between(upper_rest, local @ upper_rest)
    half_spin = rotate_about(upper_rest, 0.5 * measure_angle(upper_rest, swing.T @ local))
    half_roll = rotate_about(fore_rest, 0.5 * side * _HAND_ROLL.get(arm.kind, 0.0))
    return {
        f"upperarm01.{suffix}": swing @ half_spin,
        f"upperarm02.{suffix}": half_spin,
        f"lowerarm01.{suffix}": whole.T @ build_frame(fore, hinge) @ build_frame(fore_rest, hinge_rest).T,
        f"lowerarm02.{suffix}": half_roll,
        f"wrist.{suffix}": half_roll,
    }


def _choose_goal(body: Body, mesh: PersonMesh, arm: ArmPose, side: float, reach: float) -> tuple[Vector, Vector, int]:
    """Where the wrist goes and where the elbow points to, in the rest axes of the bone (pelvis or chest) that follows.

    ``reach`` is the arm's length; the place is the left arm's, mirrored if ``side`` is -1.
    """
    hip, shoulder, head = (
        mesh.heads[body.bone(name)].astype(np.float64) for name in ("upperleg01.L", "upperarm01.L", "head")
    )
    pelvis, chest = body.bone("root"), body.bone("spine01")
    beside = mesh.hip_width / 2
    a, b = arm.spread, arm.bend
    out = beside + 0.02 + 0.09 * a**2 - shoulder[0]
    length = reach * (0.992 - 0.045 * b)
    forward = np.sin(arm.swing) * length
    down = np.sqrt(max(length**2 - out**2 - forward**2, 0.01))
    hanging = (shoulder + np.array([out, -forward - 0.02 - 0.03 * b, -down]), (0.25, 1.0, 0.0), chest)
    low = 0.0 if side > 0 else 0.05  # crossed arms lie on one another
    goals: dict[str, tuple[ArrayLike, ArrayLike, int]] = {
        "hang": hanging,
        "swing": hanging,
        "thigh": ((beside + 0.03 + 0.02 * a, -0.04 - 0.08 * b, hip[2] + 0.02 - 0.05 * a), (0.8, 1.0, 0.0), pelvis),
        "hip": ((beside + 0.08, 0.02 - 0.05 * b, hip[2] + 0.12 + 0.04 * a), (1.0, 0.55 - 0.2 * a, 0.0), pelvis),
        "behind": ((0.06 + 0.06 * a, 0.16, hip[2] + 0.06), (1.0, 0.5, 0.0), pelvis),
        "front": ((0.02 + 0.16 * a, -0.27 - 0.08 * b, shoulder[2] - 0.34 + 0.2 * b), (0.6, 0.5, -1.0), chest),
        "crossed": ((-0.02, -0.2 - 0.9 * low, shoulder[2] - 0.27 + low), (1.0, -0.2, -0.7), chest),
        "hair": ((0.12 + 0.03 * a, 0.05 * b, head[2] + 0.02 + 0.08 * b), (1.0, 0.25, -0.15), chest),
        "raised": ((shoulder[0] + 0.16 + 0.1 * a, -0.15, head[2] - 0.02 + 0.15 * b), (0.8, 0.2, -1.0), chest),
        "up": (shoulder + np.array([0.02 + 0.22 * a, -0.02, reach * (0.93 - 0.12 * b)]), (1.0, -0.1, 0.0), chest),
    }
    goal, pole, bone = goals[arm.kind]
    mirror = np.array([side, 1.0, 1.0])
    return np.asarray(goal) * mirror, np.asarray(pole) * mirror, bone


def solve_two_bones(start: Vector, target: Vector, pole: Vector, upper: float, fore: float) -> tuple[Vector, Vector]:
    """Unit directions of the upper and the lower bone so that the end meets ``target``, the joint towards ``pole``."""
    line: Vector = target - start
    distance = float(np.clip(np.linalg.norm(line), abs(upper - fore) * 1.25 + 0.02, (upper + fore) * 0.996))
    line = normalize(line)
    across = normalize(pole - (pole @ line) * line)
    cosine = np.clip((upper**2 + distance**2 - fore**2) / (2 * upper * distance), -1, 1)
    first = line * cosine + across * np.sqrt(1 - cosine**2)
    return first, normalize(line * distance - first * upper)


def normalize(vector: Vector) -> Vector:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-12))


def build_frame(along: Vector, hinge: Vector) -> Matrix:
    return np.stack([along, hinge, np.cross(along, hinge)], axis=1)


def rotate_between(first: Vector, second: Vector) -> Matrix:
    """The least rotation that takes one direction to the other."""
    axis = np.cross(first, second)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3)
    return rotate_about(axis / sine, float(np.arctan2(sine, first @ second)))


def measure_angle(axis: Vector, rotation: Matrix) -> float:
    """Angle of a rotation about a unit axis, radians."""
    skew = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    return float(np.arctan2(skew @ axis, np.trace(rotation) - 1))


def rotate_about(axis: Vector, angle: float) -> Matrix:
    """The rotation by ``angle`` radians about a unit axis."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


rotate_x, rotate_y, rotate_z = (partial(rotate_about, axis) for axis in np.eye(3))
