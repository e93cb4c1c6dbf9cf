"""Keypoint files for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

HEADER = "name:keypoints_y:keypoints_x\n"


def write_pose_csv(path: str | Path, poses: Mapping[str, np.ndarray]) -> None:
    """Write ``poses``, (18, 2) with NaN = missing by photo name, as the field does: whole pixels as such, else 1/1000.

    A coordinate of exactly -1, which the format takes for missing, is moved by a thousandth.
    """
    rows = []
    for name, pose in poses.items():
        pose = np.round(pose.astype(float), 3)
        pose = np.where(np.isnan(pose).any(1, keepdims=True), -1, np.where(pose == -1, -1.001, pose))
        x, y = (json.dumps([int(v) if v.is_integer() else v for v in values.tolist()]) for values in pose.T)
        rows.append(f"{name}: {y}: {x}\n")
    Path(path).write_text(HEADER + "".join(rows), encoding="utf-8", newline="\n")


def write_people(folder: Path, people: Mapping[str, Sequence[float]], scale: float = 1.0) -> Path:
    """OpenPose's JSON of each photo, of standing people as sure as given: each as large as the others."""
    from tests.data.examples import STANDING

    folder.mkdir(parents=True)
    for name, confidences in people.items():
        found = [np.column_stack([STANDING * scale, np.full(18, sure)]).ravel().tolist() for sure in confidences]
        content = {"people": [{"pose_keypoints_2d": keypoints} for keypoints in found]}
        (folder / f"{name}_keypoints.json").write_text(json.dumps(content))
    return folder
