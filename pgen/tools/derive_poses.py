"""Draws the bundled named poses with the synthetic body: ``python -m pgen.tools.derive_poses`` writes them anew."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known_joints
from pgen.synthetic.background import sample_background, sample_light
from pgen.synthetic.body_pose import ArmPose, BodyPose, LegPose
from pgen.synthetic.camera import Framing
from pgen.synthetic.dataset import synthetic_person
from pgen.synthetic.render import Shot, render

_SIZE = (256, 256)
_FRAMING = Framing("full", 0.06, 0.06, 0.0, 0.0, 5.0, 0.0, False)
_PERSON = (0, 4)  # seed and number of whoever shows them


def _arm(kind: str, spread: float = 0.5, bend: float = 0.3, swing: float = 0.0) -> ArmPose:
    return ArmPose(kind, spread, bend, swing)


def _leg(flex: float = 0.0, spread: float = 0.03, turn: float = 0.12, knee: float = 0.04) -> LegPose:
    return LegPose(flex, spread, turn, knee)


_STAND = BodyPose(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, _arm("hang"), _arm("hang"), _leg(), _leg())
_STRIDE = {"left_leg": _leg(0.4, 0.0, knee=0.12), "right_leg": _leg(-0.32, 0.0, knee=0.45)}
_SWING = {"left_arm": _arm("swing", 0.3, 0.5, -0.4), "right_arm": _arm("swing", 0.3, 0.5, 0.4)}

STANCES: dict[str, BodyPose] = {
    "stand": _STAND,
    "walk": replace(_STAND, yaw=0.5, twist=-0.1, **_STRIDE, **_SWING),  # type: ignore[arg-type]
    "walk-away": replace(_STAND, yaw=np.pi - 0.4, twist=-0.1, **_STRIDE, **_SWING),  # type: ignore[arg-type]
    "side": replace(_STAND, yaw=np.pi / 2 - 0.15, left_arm=_arm("swing", 0.2, 0.4, 0.1)),
    "back": replace(_STAND, yaw=np.pi),
    "look-back": replace(_STAND, yaw=np.pi - 0.55, twist=-0.35, head_yaw=-0.95, left_arm=_arm("hip")),
    "arms-up": replace(_STAND, left_arm=_arm("up", 0.8, 0.1), right_arm=_arm("up", 0.8, 0.1)),
    "wave": replace(_STAND, left_arm=_arm("raised", 0.8, 0.8), side_bend=0.04),
    "hands-on-hips": replace(
        _STAND, left_arm=_arm("hip"), right_arm=_arm("hip"), left_leg=_leg(spread=0.12), right_leg=_leg(spread=0.12)
    ),
    "arms-crossed": replace(_STAND, left_arm=_arm("crossed"), right_arm=_arm("crossed")),
    "hands-in-hair": replace(_STAND, left_arm=_arm("hair"), right_arm=_arm("hair"), yaw=0.15),
    "contrapposto": replace(
        _STAND,
        roll=0.1,
        yaw=-0.25,
        left_arm=_arm("hip"),
        right_arm=_arm("thigh"),
        right_leg=_leg(0.2, 0.08, 0.25, 0.4),
    ),
    "wide-stance": replace(
        _STAND,
        left_leg=_leg(spread=0.3),
        right_leg=_leg(spread=0.3),
        left_arm=_arm("thigh", 1.0),
        right_arm=_arm("thigh", 1.0),
    ),
    "step-up": replace(_STAND, yaw=0.7, left_leg=_leg(1.1, 0.05, knee=1.2), right_leg=_leg(), **_SWING),  # type: ignore[arg-type]
}


def main() -> None:
    """Write the file that `pgen.data.named_poses` reads."""
    poses = {name: _openpose(_drawn(stance)) for name, stance in STANCES.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in poses.items())
    Path(str(resources.files("pgen.data") / "named_poses.json")).write_text(f"{{\n{lines}\n}}\n", "utf-8")


def _drawn(stance: BodyPose) -> NDArray[np.float32]:
    """The stance as joints (18, 2); limbs behind the body are told too."""
    rng = np.random.default_rng(0)
    shot = Shot(stance, _FRAMING, sample_background(rng, "fashion"), sample_light(rng, "fashion"), 0)
    poses = [render(synthetic_person(*_PERSON), replace(shot, seed=seed), _SIZE).pose for seed in range(12)]
    return max(poses, key=lambda pose: int(known_joints(pose).sum()))  # hidden joints are missing by chance


def _openpose(pose: NDArray[np.float32]) -> dict[str, Any]:
    flat: list[float] = []
    for joint in Joint:
        x, y = pose[joint].tolist()
        flat += [round(x, 1), round(y, 1), 1] if np.isfinite(x + y) else [0, 0, 0]
    return {"canvas_height": _SIZE[0], "canvas_width": _SIZE[1], "people": [{"pose_keypoints_2d": flat}]}


if __name__ == "__main__":
    main()
