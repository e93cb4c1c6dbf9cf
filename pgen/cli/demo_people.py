"""The synthetic people of `pgen demo`: who they are, how they stand, and how one of them walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from pgen.synthetic.body_pose import ArmPose, BodyPose, LegPose
from pgen.synthetic.camera import Framing
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import Rendering, render

#: Positions of the walk that are photographed; those between are interpolated.
WALK_STEPS = 12

_HANGING, _RAISED, _ON_HIP = ArmPose("hang", 0.4, 0.5, 0.0), ArmPose("up", 0.6, 0.6, 0.0), ArmPose("hip", 0.5, 0.5, 0.0)
_STANDING = LegPose(flex=0.0, spread=0.04, turn=0.12, knee=0.04)
_EASED = LegPose(flex=0.2, spread=0.07, turn=0.2, knee=0.36)

_UPRIGHT = BodyPose(yaw=0.12, left_arm=_HANGING, right_arm=_HANGING, left_leg=_STANDING, right_leg=_STANDING)


def _walk_stance(phase: float, yaw: float) -> BodyPose:
    """One position of a walk: ``phase`` in radians, 2π a double step."""

    def leg(phase: float) -> LegPose:
        # The knee bends while the leg swings forward.
        return LegPose(0.36 * float(np.cos(phase)), 0.0, 0.08, 0.1 + 0.6 * max(0.0, -float(np.sin(phase))))

    def arm(phase: float) -> ArmPose:
        return ArmPose("swing", 0.5, 0.9, -0.38 * float(np.cos(phase)))

    return replace(
        _UPRIGHT,
        yaw=yaw,
        left_leg=leg(phase),
        right_leg=leg(phase + np.pi),
        left_arm=arm(phase),
        right_arm=arm(phase + np.pi),
    )


#: The target poses, by what they are called on the page.
POSES: dict[str, BodyPose] = {
    "hand on hip": replace(_UPRIGHT, yaw=-0.25, roll=0.09, left_leg=_STANDING, right_leg=_EASED, right_arm=_ON_HIP),
    "walking": _walk_stance(0.3, yaw=0.8),
    "from behind": replace(_UPRIGHT, yaw=np.pi - 0.15, head_yaw=0.1),
    "arms up": replace(_UPRIGHT, yaw=0.05, left_arm=_RAISED, right_arm=_RAISED),
}

_FULL = Framing(
    view="full", top=0.03, bottom=0.03, reach=0.0, shift=0.0, distance=4.0, height=0.25, bordered=False
)  # fmt: skip
_HALF = replace(_FULL, view="half", top=0.09, reach=0.75)


@dataclass(frozen=True)
class DemoPerson:
    """A held-out person: the photo the networks see, and what they should make of it."""

    source: Rendering
    truths: dict[str, Rendering]  #: the same person in each of `POSES`, in the same light and place


def render_demo_person(seed: int, index: int, size: tuple[int, int]) -> DemoPerson:
    """The person of that number, whole if it is even, else from the hips up; ``size`` is (height, width)."""
    person = synthetic_person(seed, index)
    framing = _HALF if index % 2 else _FULL
    shot = replace(synthetic_shot(seed, index, 0), framing=framing, body_pose=_UPRIGHT)
    truths = {title: render(person, replace(shot, body_pose=stance), size) for title, stance in POSES.items()}
    return DemoPerson(render(person, shot, size), truths)


def render_walk(seed: int, index: int, size: tuple[int, int], frames: int) -> list[NDArray[np.float32]]:
    """Poses (18, 2) of the person walking, ``frames`` of them, the last leading smoothly into the first."""
    person = synthetic_person(seed, index)
    shot = replace(synthetic_shot(seed, index, 0), framing=_FULL)
    stances = [_walk_stance(2 * np.pi * step / WALK_STEPS, yaw=0.6) for step in range(WALK_STEPS)]
    return interpolate_poses([render(person, replace(shot, body_pose=stance), size).pose for stance in stances], frames)


def interpolate_poses(poses: Sequence[NDArray[np.floating]], frames: int) -> list[NDArray[np.float32]]:
    """``frames`` poses on a smooth closed curve through ``poses``, evenly in time.

    A joint that some of the poses lack is led past the gap; one that most of them lack stays missing.
    """
    count = len(poses)
    times = np.arange(frames) * count / frames
    result = np.full((frames, *poses[0].shape), np.nan, dtype=np.float32)
    for joint, track in enumerate(np.stack(poses, axis=1)):
        there = np.flatnonzero(np.isfinite(track).all(axis=1))
        if 2 * len(there) <= count:
            continue
        knots = np.append(there, there[0] + count)
        curve = CubicSpline(knots, np.append(track[there], track[there[:1]], axis=0), bc_type="periodic")
        result[:, joint] = curve(times)
    return list(result)
