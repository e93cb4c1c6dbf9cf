"""Draws the bundled named poses with the synthetic body: ``python -m pgen.tools.derive_poses`` writes them anew."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints
from pgen.synthetic.background import sample_background, sample_light
from pgen.synthetic.body_pose import ArmPose, BodyPose, LegPose
from pgen.synthetic.camera import Framing
from pgen.synthetic.dataset import synthetic_person
from pgen.synthetic.render import Shot, render

_SIZE = (256, 256)
_FRAMING = Framing("full", 0.06, 0.06, 0.0, 0.0, 5.0, 0.0, False)
_PERSON = (0, 4)  # seed and number of whoever shows them

_HIP, _THIGH, _UP = ArmPose("hip"), ArmPose("thigh", spread=1.0), ArmPose("up", 0.8, 0.1)
_WALK = BodyPose(
    twist=-0.1,
    left_arm=ArmPose("swing", 0.3, 0.5, -0.4),
    right_arm=ArmPose("swing", 0.3, 0.5, 0.4),
    left_leg=LegPose(0.4, 0.0, knee=0.12),
    right_leg=LegPose(-0.32, 0.0, knee=0.45),
)
_WIDE, _WIDEST = LegPose(spread=0.12), LegPose(spread=0.3)

STANCES: dict[str, BodyPose] = {
    "stand": BodyPose(),
    "walk": replace(_WALK, yaw=0.5),
    "walk-away": replace(_WALK, yaw=np.pi - 0.4),
    "side": BodyPose(yaw=np.pi / 2 - 0.15, left_arm=ArmPose("swing", 0.2, 0.4, 0.1)),
    "back": BodyPose(yaw=np.pi),
    "look-back": BodyPose(yaw=np.pi - 0.55, twist=-0.35, head_yaw=-0.95, left_arm=_HIP),
    "arms-up": BodyPose(left_arm=_UP, right_arm=_UP),
    "wave": BodyPose(left_arm=ArmPose("raised", 0.8, 0.8), side_bend=0.04),
    "hands-on-hips": BodyPose(left_arm=_HIP, right_arm=_HIP, left_leg=_WIDE, right_leg=_WIDE),
    "arms-crossed": BodyPose(left_arm=ArmPose("crossed"), right_arm=ArmPose("crossed")),
    "hands-in-hair": BodyPose(left_arm=ArmPose("hair"), right_arm=ArmPose("hair"), yaw=0.15),
    "contrapposto": BodyPose(
        roll=0.1, yaw=-0.25, left_arm=_HIP, right_arm=ArmPose("thigh"), right_leg=LegPose(0.2, 0.08, 0.25, 0.4)
    ),
    "wide-stance": BodyPose(left_leg=_WIDEST, right_leg=_WIDEST, left_arm=_THIGH, right_arm=_THIGH),
    "step-up": replace(_WALK, twist=0.0, yaw=0.7, left_leg=LegPose(1.1, 0.05, knee=1.2), right_leg=LegPose()),
}


def main() -> None:
    """Write the file that `pgen.data.named_poses` reads."""
    poses = {name: _to_openpose(draw_pose(stance)) for name, stance in STANCES.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in poses.items())
    Path(str(resources.files("pgen.data") / "named_poses.json")).write_text(f"{{\n{lines}\n}}\n", "utf-8")


def draw_pose(stance: BodyPose) -> NDArray[np.float32]:
    """Joints (18, 2) in pixels; of limbs behind the body too."""
    rng = np.random.default_rng(0)
    shot = Shot(stance, _FRAMING, sample_background(rng, "fashion"), sample_light(rng, "fashion"), 0)
    poses = [render(synthetic_person(*_PERSON), replace(shot, seed=seed), _SIZE).pose for seed in range(12)]
    return max(poses, key=lambda pose: int(known_joints(pose).sum()))  # hidden joints are missing by chance


def _to_openpose(pose: NDArray[np.float32]) -> dict[str, Any]:
    flat: list[float] = []
    for x, y in pose.tolist():
        flat += [round(x, 1), round(y, 1), 1] if np.isfinite(x + y) else [0, 0, 0]
    return {"canvas_height": _SIZE[0], "canvas_width": _SIZE[1], "people": [{"pose_keypoints_2d": flat}]}


if __name__ == "__main__":
    main()
