"""How people stand: a prior over body positions.

A body pose is given in terms that do not depend on the build: angles for legs, trunk and head, and for each arm either
angles or a place the hand goes to (the hip, the hair, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ARMS = ("hang", "thigh", "hip", "behind", "front", "crossed", "hair", "raised", "up", "swing")


@dataclass(frozen=True)
class ArmPose:
    """One arm. ``kind`` is one of ``ARMS``; ``spread`` and ``bend`` are numbers about 0-1 that vary it."""

    kind: str
    spread: float
    bend: float
    swing: float


@dataclass(frozen=True)
class LegPose:
    """One leg, radians: ``flex`` forward, ``spread`` outwards, ``turn`` of the foot outwards, ``knee`` bent."""

    flex: float
    spread: float
    turn: float
    knee: float


@dataclass(frozen=True)
class BodyPose:
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
    left_arm: ArmPose
    right_arm: ArmPose
    left_leg: LegPose
    right_leg: LegPose


def sample_body_pose(rng: np.random.Generator) -> BodyPose:
    """A body pose as in fashion photos: mostly standing, arms mostly down, seen most often from the front."""
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
    return BodyPose(
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


def _sample_legs(rng: np.random.Generator) -> tuple[tuple[LegPose, LegPose], float]:
    kind = rng.choice(["stand", "contrapposto", "walk", "crossed"], p=[0.38, 0.3, 0.25, 0.07])

    def leg(flex: float = 0.0, spread: float = 0.0, knee: float = 0.04) -> LegPose:
        return LegPose(
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


def _sample_arms(rng: np.random.Generator) -> tuple[ArmPose, ArmPose]:
    def arm(kind: str, swing: float = 0.0) -> ArmPose:
        return ArmPose(kind, float(rng.random()), float(rng.random()), swing + float(rng.normal(0, 0.1)))

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
