"""How people stand: a prior over body positions.

A body pose is given in terms that do not depend on the build: angles for legs, trunk and head, and for each arm either
angles or a place the hand goes to (the hip, the hair, ...). The default is to stand upright, arms hanging.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: How often pairs of arms are seen.
_ARM_PAIRS = {
    ("hang", "hang"): 26, ("thigh", "thigh"): 12, ("thigh", "hang"): 8, ("hip", "hip"): 6, ("hip", "hang"): 8,
    ("hip", "thigh"): 4, ("swing", "swing"): 9, ("behind", "behind"): 2, ("behind", "hang"): 2, ("front", "hang"): 5,
    ("front", "front"): 2, ("crossed", "crossed"): 2.5, ("hair", "hang"): 4, ("hair", "hip"): 1.5,
    ("raised", "hang"): 2, ("up", "up"): 3.5, ("up", "hang"): 1, ("hair", "hair"): 1.5,
}  # fmt: skip


@dataclass(frozen=True)
class ArmPose:
    """One arm. ``kind`` is "hang", "swing" (by ``swing`` radians, to the front), or where the hand is: "thigh", "hip",
    "behind", "front", "crossed", "hair", "raised", "up"; ``spread`` and ``bend`` are numbers about 0-1 that vary it."""

    kind: str = "hang"
    spread: float = 0.5
    bend: float = 0.3
    swing: float = 0.0


@dataclass(frozen=True)
class LegPose:
    """One leg, radians: ``flex`` forward, ``spread`` outwards, ``turn`` of the foot outwards, ``knee`` bent."""

    flex: float = 0.0
    spread: float = 0.03
    turn: float = 0.12
    knee: float = 0.04


@dataclass(frozen=True)
class BodyPose:
    """A body position. Angles in radians; yaw 0 faces the camera, positive turns to the person's left."""

    yaw: float = 0.0
    lean: float = 0.0
    roll: float = 0.0
    bow: float = 0.0
    twist: float = 0.0
    side_bend: float = 0.0
    head_yaw: float = 0.0
    head_pitch: float = 0.0
    head_roll: float = 0.0
    left_arm: ArmPose = ArmPose()
    right_arm: ArmPose = ArmPose()
    left_leg: LegPose = LegPose()
    right_leg: LegPose = LegPose()


def sample_body_pose(rng: np.random.Generator) -> BodyPose:
    """A body pose as in fashion photos: mostly standing, arms mostly down, seen most often from the front."""
    facing = rng.choice(4, p=[0.47, 0.22, 0.1, 0.21])
    side = float(rng.choice([-1.0, 1.0]))
    yaw = (
        rng.normal(0, 0.18),
        np.pi + rng.normal(0, 0.2),
        side * (np.pi / 2 + rng.normal(0, 0.15)),
        side * (rng.uniform(0.35, 1.15) if rng.random() < 0.7 else rng.uniform(2.0, 2.8)),
    )[facing]
    (left_leg, right_leg), roll = _sample_legs(rng)
    left_arm, right_arm = _sample_arms(rng)
    head_yaw = float(np.clip(rng.normal(0, 0.22 if rng.random() < 0.75 else 0.5), -1.0, 1.0))
    return BodyPose(
        yaw=yaw,
        lean=rng.normal(0, 0.03),
        roll=roll,
        bow=rng.normal(0, 0.05),
        twist=rng.normal(0, 0.12),
        side_bend=rng.normal(0, 0.04),
        head_yaw=head_yaw,
        head_pitch=float(np.clip(rng.normal(0, 0.1), -0.3, 0.35)),
        head_roll=rng.normal(0, 0.07),
        left_arm=left_arm,
        right_arm=right_arm,
        left_leg=left_leg,
        right_leg=right_leg,
    )


def _sample_legs(rng: np.random.Generator) -> tuple[tuple[LegPose, LegPose], float]:
    """The left and the right leg, and the roll of the hips over them."""
    kind = rng.choice(["stand", "contrapposto", "walk", "crossed"], p=[0.38, 0.3, 0.25, 0.07])

    def leg(flex: float = 0.0, spread: float = 0.0, knee: float = 0.04) -> LegPose:
        return LegPose(
            flex=flex + rng.normal(0, 0.03),
            spread=spread + rng.normal(0, 0.02),
            turn=float(np.clip(rng.normal(0.12, 0.12), -0.15, 0.45)),
            knee=max(0.0, knee + rng.normal(0, 0.03)),
        )

    if kind == "stand":
        spread = abs(rng.normal(0.02, 0.05))
        return (leg(spread=spread), leg(spread=spread)), rng.normal(0, 0.02)
    if kind == "contrapposto":
        roll = rng.uniform(0.05, 0.13)
        free = leg(rng.uniform(0.1, 0.3), rng.uniform(0.02, 0.12), rng.uniform(0.25, 0.5))
        standing = leg()
        return ((standing, free), roll) if rng.random() < 0.5 else ((free, standing), -roll)
    if kind == "walk":
        stride = rng.uniform(0.12, 0.4)
        ahead, behind = leg(stride, knee=0.08 + 0.2 * stride), leg(-0.8 * stride, knee=0.1 + 0.9 * stride)
    else:
        ahead, behind = leg(0.09, -0.09), leg(-0.06, -0.06)
    return ((ahead, behind) if rng.random() < 0.5 else (behind, ahead)), rng.normal(0, 0.03)


def _sample_arms(rng: np.random.Generator) -> tuple[ArmPose, ArmPose]:
    shares = np.array(list(_ARM_PAIRS.values()))
    kinds = list(_ARM_PAIRS)[int(rng.choice(len(shares), p=shares / shares.sum()))]
    stride = float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)) if kinds[0] == "swing" else 0.0
    first, second = (
        ArmPose(kind, rng.random(), rng.random(), swing + rng.normal(0, 0.1))
        for kind, swing in zip(kinds, (stride, -stride), strict=True)
    )
    return (first, second) if rng.random() < 0.5 else (second, first)
