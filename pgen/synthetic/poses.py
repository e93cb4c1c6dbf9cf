"""From a body pose to the rotations of the bones of a particular mesh.

Legs, trunk and head turn by the body pose's angles; hands go where the body pose says by two-bone inverse kinematics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.synthetic.body import Body, compute_bone_transforms
from pgen.synthetic.body_pose import ArmPose, BodyPose
from pgen.synthetic.person_mesh import PersonMesh
from pgen.synthetic.rotations import (
    build_frame,
    measure_angle,
    normalize,
    rotate_about,
    rotate_between,
    rotate_x,
    rotate_y,
    rotate_z,
    solve_two_bones,
)


def solve_pose(body: Body, mesh: PersonMesh, body_pose: BodyPose) -> NDArray[np.float64]:
    """Bone transforms (B, 3, 4) of a mesh in a body_pose."""
    rotations: dict[str, NDArray[np.floating]] = {
        "root": rotate_z(body_pose.yaw) @ rotate_x(-body_pose.lean) @ rotate_y(body_pose.roll)
    }
    for name, share in (("spine05", 0.2), ("spine04", 0.2), ("spine03", 0.25), ("spine02", 0.2), ("spine01", 0.15)):
        bend = rotate_y(share * (body_pose.side_bend - body_pose.roll)) @ rotate_x(-share * body_pose.bow)
        rotations[name] = rotate_z(share * body_pose.twist) @ bend
    for name, share in (("neck01", 0.2), ("neck02", 0.2), ("neck03", 0.25), ("head", 0.35)):
        rotations[name] = (
            rotate_z(share * body_pose.head_yaw)
            @ rotate_y(share * body_pose.head_roll)
            @ rotate_x(share * body_pose.head_pitch)
        )
    for suffix, side, leg in (("L", 1.0, body_pose.left_leg), ("R", -1.0, body_pose.right_leg)):
        # At rest the legs stand apart by some 0.09 rad; a hip that is raised by the roll is made up for.
        inward = rotate_y(side * (0.085 - leg.spread) - body_pose.roll)
        rotations[f"upperleg01.{suffix}"] = rotate_z(side * leg.turn) @ rotate_x(-leg.flex) @ inward
        rotations[f"lowerleg01.{suffix}"] = rotate_x(leg.knee)
        rotations[f"foot.{suffix}"] = rotate_x(0.75 * (leg.flex - leg.knee))
        knuckle = _find_knuckle_axis(body, mesh, suffix)
        fist = (body_pose.left_arm if suffix == "L" else body_pose.right_arm).kind == "hip"
        for finger in range(1, 6):
            for joint, curl in ((1, 0.4), (2, 0.5), (3, 0.4)):
                if finger > 1:
                    # Hands on hips are fists.
                    rotations[f"finger{finger}-{joint}.{suffix}"] = rotate_about(knuckle, (2.3 if fist else 1.0) * curl)
    for suffix, side, arm in (("L", 1.0, body_pose.left_arm), ("R", -1.0, body_pose.right_arm)):
        if arm.kind in ("up", "raised", "hair"):
            lift = {"up": 0.42, "raised": 0.15, "hair": 0.25}[arm.kind]
        else:
            lift = -0.1  # at rest the arms are half raised and the shoulders with them
        rotations[f"clavicle.{suffix}"] = rotate_y(-side * lift)
    placed = compute_bone_transforms(body, mesh.heads, rotations)
    for suffix, side, arm in (("L", 1.0, body_pose.left_arm), ("R", -1.0, body_pose.right_arm)):
        rotations.update(_place_arm(body, mesh, placed, arm, suffix, side))
    return compute_bone_transforms(body, mesh.heads, rotations)


def _find_knuckle_axis(body: Body, mesh: PersonMesh, suffix: str) -> NDArray[np.floating]:
    """The axis fingers curl about, at rest."""
    index, little = (mesh.heads[body.bone(f"finger{finger}-1.{suffix}")] for finger in (2, 5))
    axis = (index - little) if suffix == "L" else (little - index)
    return np.asarray(axis / np.linalg.norm(axis), dtype=np.float64)


def _place_arm(
    body: Body, mesh: PersonMesh, placed: NDArray[np.floating], arm: ArmPose, suffix: str, side: float
) -> dict[str, NDArray[np.floating]]:
    """Rotations of an arm's bones, the trunk being placed."""
    heads = mesh.heads.astype(np.float64)
    shoulder, elbow, wrist = (heads[body.bone(f"{name}.{suffix}")] for name in ("upperarm01", "lowerarm01", "wrist"))
    upper_length = float(np.linalg.norm(elbow - shoulder))
    fore_length = float(np.linalg.norm(wrist - elbow))
    chest = placed[body.bone("spine01")]
    base = placed[body.bone(f"shoulder01.{suffix}")]
    turn = chest[:, :3]
    # Places are given in the chest's or the pelvis's rest axes and brought where these now are.
    target, pole, frame = _choose_goal(body, mesh, arm, side, upper_length, fore_length)
    target = placed[frame][:, :3] @ target + placed[frame][:, 3]
    start = base[:, :3] @ shoulder + base[:, 3]
    upper, fore = solve_two_bones(start, target, turn @ pole, upper_length, fore_length)

    upper_rest, fore_rest = (elbow - shoulder) / upper_length, (wrist - elbow) / fore_length
    hinge_rest = normalize(np.cross(upper_rest, fore_rest))
    hinge = normalize(np.cross(upper, fore))
    whole = build_frame(upper, hinge) @ build_frame(upper_rest, hinge_rest).T
    local = base[:, :3].T @ whole
    swing = rotate_between(upper_rest, local @ upper_rest)
    spin = measure_angle(upper_rest, swing.T @ local)
    bend = whole.T @ build_frame(fore, hinge) @ build_frame(fore_rest, hinge_rest).T
    roll = side * {"hang": -0.1, "thigh": -0.1, "hip": -0.5, "swing": -0.1, "behind": 0.4}.get(arm.kind, 0.0)
    return {
        f"upperarm01.{suffix}": swing @ rotate_about(upper_rest, 0.5 * spin),
        f"upperarm02.{suffix}": rotate_about(upper_rest, 0.5 * spin),
        f"lowerarm01.{suffix}": bend,
        f"lowerarm02.{suffix}": rotate_about(fore_rest, 0.5 * roll),
        f"wrist.{suffix}": rotate_about(fore_rest, 0.5 * roll),
    }


def _choose_goal(
    body: Body, mesh: PersonMesh, arm: ArmPose, side: float, upper: float, fore: float
) -> tuple[NDArray[np.floating], NDArray[np.floating], int]:
    """Where the wrist goes, where the elbow points to, and the bone (pelvis or chest) in whose axes that is given."""
    heads = mesh.heads
    hip = heads[body.bone("upperleg01.L")].astype(np.float64)
    shoulder = heads[body.bone("upperarm01.L")].astype(np.float64)
    head = heads[body.bone("head")].astype(np.float64)
    pelvis, chest = body.bone("root"), body.bone("spine01")
    beside = mesh.hip_width / 2
    reach = upper + fore
    a, b = arm.spread, arm.bend
    if arm.kind in ("hang", "swing"):
        out = beside + 0.02 + 0.09 * a**2 - shoulder[0]
        along = reach * (0.992 - 0.045 * b)
        forward = np.sin(arm.swing) * along
        down = np.sqrt(max(along**2 - out**2 - forward**2, 0.01))
        target = shoulder + np.array([out, -forward - 0.02 - 0.03 * b, -down])
        goal, pole, frame = target, (0.25, 1.0, 0.0), chest
    elif arm.kind == "thigh":
        goal = np.array([beside + 0.03 + 0.02 * a, -0.04 - 0.08 * b, hip[2] + 0.02 - 0.05 * a])
        pole, frame = (0.8, 1.0, 0.0), pelvis
    elif arm.kind == "hip":
        goal = np.array([beside + 0.08, 0.02 - 0.05 * b, hip[2] + 0.12 + 0.04 * a])
        pole, frame = (1.0, 0.55 - 0.2 * a, 0.0), pelvis
    elif arm.kind == "behind":
        goal, pole, frame = np.array([0.06 + 0.06 * a, 0.16, hip[2] + 0.06]), (1.0, 0.5, 0.0), pelvis
    elif arm.kind == "front":
        goal = np.array([0.02 + 0.16 * a, -0.27 - 0.08 * b, shoulder[2] - 0.34 + 0.2 * b])
        pole, frame = (0.6, 0.5, -1.0), chest
    elif arm.kind == "crossed":
        low = 0.0 if side > 0 else 0.05
        goal = np.array([-0.02, -0.2 - 0.9 * low, shoulder[2] - 0.27 + low])
        pole, frame = (1.0, -0.2, -0.7), chest
    elif arm.kind == "hair":
        goal = np.array([0.12 + 0.03 * a, 0.0 + 0.05 * b, head[2] + 0.02 + 0.08 * b])
        pole, frame = (1.0, 0.25, -0.15), chest
    elif arm.kind == "raised":
        goal, pole, frame = (
            np.array([shoulder[0] + 0.16 + 0.1 * a, -0.15, head[2] - 0.02 + 0.15 * b]),
            (0.8, 0.2, -1.0),
            chest,
        )
    else:  # up
        goal = shoulder + np.array([0.02 + 0.22 * a, -0.02, reach * (0.93 - 0.12 * b)])
        pole, frame = (1.0, -0.1, 0.0), chest
    mirror = np.array([side, 1.0, 1.0])
    return np.asarray(goal) * mirror, np.asarray(pole, dtype=np.float64) * mirror, frame
