"""How people stand: a prior over body positions, and the joint rotations they stand for.

A stance is told in terms that do not depend on the build: angles for legs, trunk and head, and for each arm either
angles or a place the hand goes to (the hip, the hair, ...), which two-bone inverse kinematics reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.people.body import Body, bone_transforms
from pgen.people.figure import Figure

ARMS = ("hang", "thigh", "hip", "behind", "front", "crossed", "hair", "raised", "up", "swing")


@dataclass(frozen=True)
class Arm:
    """One arm. ``kind`` is one of ``ARMS``; ``spread`` and ``bend`` are numbers about 0-1 that vary it."""

    kind: str
    spread: float
    bend: float
    swing: float


@dataclass(frozen=True)
class Leg:
    """One leg, radians: ``flex`` forward, ``spread`` outwards, ``turn`` of the foot outwards, ``knee`` bent."""

    flex: float
    spread: float
    turn: float
    knee: float


@dataclass(frozen=True)
class Stance:
    """A body position. Angles in radians; yaw 0 faces the camera, positive turns to the person's left."""

    yaw: float
    lean: float
    roll: float
    bow: float
    twist: float
    side_bend: float
    head_yaw: float
    head_pitch: float
    head_roll: float
    left_arm: Arm
    right_arm: Arm
    left_leg: Leg
    right_leg: Leg


def sample_stance(rng: np.random.Generator) -> Stance:
    """A stance as in fashion photos: mostly standing, arms mostly down, seen most often from the front."""
    facing = rng.choice(4, p=[0.47, 0.22, 0.1, 0.21])
    side = float(rng.choice([-1.0, 1.0]))
    yaw = (
        rng.normal(0, 0.18),
        np.pi + rng.normal(0, 0.2),
        side * (np.pi / 2 + rng.normal(0, 0.15)),
        side * rng.uniform(0.35, 1.15) if rng.random() < 0.7 else side * rng.uniform(2.0, 2.8),
    )[facing]
    legs, roll = _sample_legs(rng)
    arms = _sample_arms(rng)
    head_yaw = float(np.clip(rng.normal(0, 0.22) if rng.random() < 0.75 else rng.normal(0, 0.5), -1.0, 1.0))
    return Stance(
        yaw=float(yaw),
        lean=float(rng.normal(0, 0.03)),
        roll=roll,
        bow=float(rng.normal(0.0, 0.05)),
        twist=float(rng.normal(0, 0.12)),
        side_bend=float(rng.normal(0, 0.04)),
        head_yaw=head_yaw,
        head_pitch=float(np.clip(rng.normal(0.0, 0.1), -0.3, 0.35)),
        head_roll=float(rng.normal(0, 0.07)),
        left_arm=arms[0],
        right_arm=arms[1],
        left_leg=legs[0],
        right_leg=legs[1],
    )


def _sample_legs(rng: np.random.Generator) -> tuple[tuple[Leg, Leg], float]:
    kind = rng.choice(["stand", "contrapposto", "walk", "crossed"], p=[0.38, 0.3, 0.25, 0.07])

    def leg(flex: float = 0.0, spread: float = 0.0, knee: float = 0.04) -> Leg:
        return Leg(
            flex=flex + float(rng.normal(0, 0.03)),
            spread=spread + float(rng.normal(0, 0.02)),
            turn=float(np.clip(rng.normal(0.12, 0.12), -0.15, 0.45)),
            knee=max(0.0, knee + float(rng.normal(0, 0.03))),
        )

    if kind == "stand":
        spread = float(abs(rng.normal(0.02, 0.05)))
        return (leg(spread=spread), leg(spread=spread)), float(rng.normal(0, 0.02))
    if kind == "contrapposto":
        roll = float(rng.uniform(0.05, 0.13))
        free = leg(
            flex=float(rng.uniform(0.1, 0.3)), spread=float(rng.uniform(0.02, 0.12)), knee=float(rng.uniform(0.25, 0.5))
        )
        standing = leg()
        return ((standing, free), roll) if rng.random() < 0.5 else ((free, standing), -roll)
    if kind == "walk":
        stride = float(rng.uniform(0.12, 0.4))
        ahead, behind = leg(flex=stride, knee=0.08 + 0.2 * stride), leg(flex=-0.8 * stride, knee=0.1 + 0.9 * stride)
        pair = (ahead, behind) if rng.random() < 0.5 else (behind, ahead)
        return pair, float(rng.normal(0, 0.03))
    ahead, behind = leg(flex=0.09, spread=-0.09), leg(flex=-0.06, spread=-0.06)
    return ((ahead, behind) if rng.random() < 0.5 else (behind, ahead)), float(rng.normal(0, 0.03))


def _sample_arms(rng: np.random.Generator) -> tuple[Arm, Arm]:
    def arm(kind: str, swing: float = 0.0) -> Arm:
        return Arm(kind, float(rng.random()), float(rng.random()), swing + float(rng.normal(0, 0.1)))

    pairs = (
        ("hang", "hang"),
        ("thigh", "thigh"),
        ("thigh", "hang"),
        ("hip", "hip"),
        ("hip", "hang"),
        ("hip", "thigh"),
        ("swing", "swing"),
        ("behind", "behind"),
        ("behind", "hang"),
        ("front", "hang"),
        ("front", "front"),
        ("crossed", "crossed"),
        ("hair", "hang"),
        ("hair", "hip"),
        ("raised", "hang"),
        ("up", "up"),
        ("up", "hang"),
        ("hair", "hair"),
    )
    shares = np.array([26, 12, 8, 6, 8, 4, 9, 2, 2, 5, 2, 2.5, 4, 1.5, 2, 3.5, 1, 1.5])
    first, second = pairs[int(rng.choice(len(pairs), p=shares / shares.sum()))]
    stride = float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)) if first == "swing" else 0.0
    arms = arm(first, stride), arm(second, -stride)
    return arms if rng.random() < 0.5 else (arms[1], arms[0])


def solve(body: Body, figure: Figure, stance: Stance) -> NDArray[np.float64]:
    """Bone transforms (B, 3, 4) of a figure in a stance."""
    rotations: dict[str, NDArray[np.floating]] = {
        "root": about_z(stance.yaw) @ about_x(-stance.lean) @ about_y(stance.roll)
    }
    for name, share in (("spine05", 0.2), ("spine04", 0.2), ("spine03", 0.25), ("spine02", 0.2), ("spine01", 0.15)):
        bend = about_y(share * (stance.side_bend - stance.roll)) @ about_x(-share * stance.bow)
        rotations[name] = about_z(share * stance.twist) @ bend
    for name, share in (("neck01", 0.2), ("neck02", 0.2), ("neck03", 0.25), ("head", 0.35)):
        rotations[name] = (
            about_z(share * stance.head_yaw) @ about_y(share * stance.head_roll) @ about_x(share * stance.head_pitch)
        )
    for suffix, side, leg in (("L", 1.0, stance.left_leg), ("R", -1.0, stance.right_leg)):
        # At rest the legs stand apart by some 0.09 rad; a hip that is raised by the roll is made up for.
        inward = about_y(side * (0.085 - leg.spread) - stance.roll)
        rotations[f"upperleg01.{suffix}"] = about_z(side * leg.turn) @ about_x(-leg.flex) @ inward
        rotations[f"lowerleg01.{suffix}"] = about_x(leg.knee)
        rotations[f"foot.{suffix}"] = about_x(0.75 * (leg.flex - leg.knee))
        for finger in range(1, 6):
            for joint, curl in ((1, 0.4), (2, 0.5), (3, 0.4)):
                if finger > 1:
                    rotations[f"finger{finger}-{joint}.{suffix}"] = _about(_knuckle(body, figure, suffix), curl)
    for suffix, side, arm in (("L", 1.0, stance.left_arm), ("R", -1.0, stance.right_arm)):
        if arm.kind in ("up", "raised", "hair"):
            lift = {"up": 0.42, "raised": 0.15, "hair": 0.25}[arm.kind]
        else:
            lift = -0.1  # at rest the arms are half raised and the shoulders with them
        rotations[f"clavicle.{suffix}"] = about_y(-side * lift)
    placed = bone_transforms(body, figure.heads, rotations)
    for suffix, side, arm in (("L", 1.0, stance.left_arm), ("R", -1.0, stance.right_arm)):
        rotations.update(_reach(body, figure, placed, arm, suffix, side))
    return bone_transforms(body, figure.heads, rotations)


def _knuckle(body: Body, figure: Figure, suffix: str) -> NDArray[np.floating]:
    """The axis fingers curl about, at rest."""
    index, little = (figure.heads[body.bone(f"finger{finger}-1.{suffix}")] for finger in (2, 5))
    axis = (index - little) if suffix == "L" else (little - index)
    return np.asarray(axis / np.linalg.norm(axis), dtype=np.float64)


def _reach(
    body: Body, figure: Figure, placed: NDArray[np.floating], arm: Arm, suffix: str, side: float
) -> dict[str, NDArray[np.floating]]:
    """Rotations of an arm's bones, the trunk being placed."""
    heads = figure.heads.astype(np.float64)
    shoulder, elbow, wrist = (heads[body.bone(f"{name}.{suffix}")] for name in ("upperarm01", "lowerarm01", "wrist"))
    upper_length = float(np.linalg.norm(elbow - shoulder))
    fore_length = float(np.linalg.norm(wrist - elbow))
    chest = placed[body.bone("spine01")]
    base = placed[body.bone(f"shoulder01.{suffix}")]
    turn = chest[:, :3]
    # Places are told in the chest's or the pelvis's rest axes and brought where these now are.
    target, pole, frame = _goal(body, figure, arm, side, upper_length, fore_length)
    target = placed[frame][:, :3] @ target + placed[frame][:, 3]
    start = base[:, :3] @ shoulder + base[:, 3]
    upper, fore = _two_bones(start, target, turn @ pole, upper_length, fore_length)

    upper_rest, fore_rest = (elbow - shoulder) / upper_length, (wrist - elbow) / fore_length
    hinge_rest = _unit(np.cross(upper_rest, fore_rest))
    hinge = _unit(np.cross(upper, fore))
    whole = _frame(upper, hinge) @ _frame(upper_rest, hinge_rest).T
    local = base[:, :3].T @ whole
    swing = _between(upper_rest, local @ upper_rest)
    spin = _angle_about(upper_rest, swing.T @ local)
    bend = whole.T @ _frame(fore, hinge) @ _frame(fore_rest, hinge_rest).T
    roll = side * {"hang": -0.1, "thigh": -0.1, "hip": -0.5, "swing": -0.1, "behind": 0.4}.get(arm.kind, 0.0)
    return {
        f"upperarm01.{suffix}": swing @ _about(upper_rest, 0.5 * spin),
        f"upperarm02.{suffix}": _about(upper_rest, 0.5 * spin),
        f"lowerarm01.{suffix}": bend,
        f"lowerarm02.{suffix}": _about(fore_rest, 0.5 * roll),
        f"wrist.{suffix}": _about(fore_rest, 0.5 * roll),
    }


def _goal(
    body: Body, figure: Figure, arm: Arm, side: float, upper: float, fore: float
) -> tuple[NDArray[np.floating], NDArray[np.floating], int]:
    """Where the wrist goes, where the elbow points to, and the bone (pelvis or chest) in whose axes that is told."""
    heads = figure.heads
    hip = heads[body.bone("upperleg01.L")].astype(np.float64)
    shoulder = heads[body.bone("upperarm01.L")].astype(np.float64)
    head = heads[body.bone("head")].astype(np.float64)
    pelvis, chest = body.bone("root"), body.bone("spine01")
    beside = figure.hip_width / 2
    reach = upper + fore
    a, b = arm.spread, arm.bend
    if arm.kind in ("hang", "swing"):
        out = beside + 0.045 + 0.09 * a - shoulder[0]
        along = reach * (0.992 - 0.045 * b)
        forward = np.sin(arm.swing) * along
        down = np.sqrt(max(along**2 - out**2 - forward**2, 0.01))
        target = shoulder + np.array([out, -forward - 0.02 - 0.03 * b, -down])
        goal, pole, frame = target, (0.25, 1.0, 0.0), chest
    elif arm.kind == "thigh":
        goal = np.array([beside + 0.03 + 0.02 * a, -0.04 - 0.08 * b, hip[2] + 0.02 - 0.05 * a])
        pole, frame = (0.8, 1.0, 0.0), pelvis
    elif arm.kind == "hip":
        goal = np.array([beside + 0.05, 0.0 - 0.05 * b, hip[2] + 0.12 + 0.04 * a])
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


def _two_bones(
    start: NDArray[np.floating], target: NDArray[np.floating], pole: NDArray[np.floating], upper: float, fore: float
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Unit directions of the upper and the lower bone so that the end meets ``target``, the joint towards ``pole``."""
    line = target - start
    distance = float(np.clip(np.linalg.norm(line), abs(upper - fore) * 1.25 + 0.02, (upper + fore) * 0.996))
    line = _unit(line)
    across = _unit(pole - (pole @ line) * line)
    cosine = np.clip((upper**2 + distance**2 - fore**2) / (2 * upper * distance), -1, 1)
    first = line * cosine + across * np.sqrt(1 - cosine**2)
    return first, _unit(line * distance - first * upper)


def _unit(vector: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-12))


def _frame(along: NDArray[np.floating], hinge: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.stack([along, hinge, np.cross(along, hinge)], axis=1)


def _between(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """The least rotation that takes one direction to the other."""
    axis = np.cross(first, second)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3)
    return _about(axis / sine, float(np.arctan2(sine, first @ second)))


def _angle_about(axis: NDArray[np.floating], rotation: NDArray[np.floating]) -> float:
    skew = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    return float(np.arctan2(skew @ axis, np.trace(rotation) - 1))


def _about(axis: NDArray[np.floating], angle: float) -> NDArray[np.floating]:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def about_x(angle: float) -> NDArray[np.floating]:
    return _about(np.array([1.0, 0.0, 0.0]), angle)


def about_y(angle: float) -> NDArray[np.floating]:
    return _about(np.array([0.0, 1.0, 0.0]), angle)


def about_z(angle: float) -> NDArray[np.floating]:
    return _about(np.array([0.0, 0.0, 1.0]), angle)
