"""OpenPose's JSON: ``people[].pose_keypoints_2d`` = x, y, confidence, ...

Pixels of the photo; (0, 0, 0), or no confidence, is a missing joint. The size of the photo stands in
``canvas_width`` and ``canvas_height``, as editors of poses write it, or is not known.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.data.inputs import are_coordinates
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

#: Where the 18 joints stand in each model of OpenPose, by its number of joints. BODY_25 has the middle of the
#: hips (8) and the feet (19-24) besides.
_MODELS = {JOINT_COUNT: list(range(JOINT_COUNT)), 25: [*range(8), *range(9, 19)]}
_KEYS = ("pose_keypoints_2d", "pose_keypoints")


@dataclass(frozen=True)
class PosesOfPhoto:
    """The people that OpenPose found in one photo."""

    poses: list[NDArray[np.float32]]  # each (18, 2) (x, y) in pixels, NaN = missing
    frame: tuple[int, int] | None  # (height, width) of the photo, if the file says so

    def largest(self) -> int:
        """The index of the person whose joints span the largest box."""
        joints = (pose[known_joints(pose)] for pose in self.poses)
        return int(np.argmax([np.prod(np.ptp(points, axis=0)) if len(points) else -1 for points in joints]))


def parse_openpose(content: Any, path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> PosesOfPhoto:
    """The people in ``content``, the JSON of the file ``path``.

    Coordinates within 0 and 1 are parts of the photo, whose ``size`` (height, width) is used if the file does not say
    it. Raises `InputError` naming the file and person, or if there is none.
    """
    if isinstance(content, list) and len(content) == 1:  # pose editors write a list of frames
        content = content[0]
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f'{path} has no list "people"; an OpenPose JSON file was expected')
    frame = _parse_frame(content, path)
    poses = [_parse_pose(person, frame or size, f"{path}, person {i}") for i, person in enumerate(people)]
    if not poses:
        raise InputError(f"{path} has no people; OpenPose found nobody in the photo")
    return PosesOfPhoto(poses, frame)


def write_pose_json(
    path: str | os.PathLike[str],
    pose: NDArray[np.floating],
    frame: tuple[int, int] | None = None,
    overwrite: bool = False,
    confidence: NDArray[np.floating] | None = None,
) -> Path:
    """Write ``pose``, (18, 2) with NaN = missing, as OpenPose's JSON.

    ``frame`` is the (height, width) of its photo, ``confidence`` (18,) 0 to 1, or 1 for all. Coordinates are rounded to
    thousandths of a pixel.
    """
    flat: list[float] = []
    trust = np.ones(len(pose)) if confidence is None else np.clip(confidence, 0.001, 1)  # 0 would say "missing"
    for (x, y), there, sure in zip(pose.tolist(), known_joints(pose).tolist(), trust.tolist(), strict=True):
        flat += [round(x, 3), round(y, 3), round(sure, 3)] if there else [0.0, 0.0, 0.0]
    content: dict[str, Any] = {"version": 1.3, "people": [{"pose_keypoints_2d": flat}]}
    if frame is not None:
        content |= {"canvas_height": frame[0], "canvas_width": frame[1]}
    with atomic_write(path, overwrite) as aside:
        aside.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return Path(path)


def _parse_frame(content: dict[str, Any], path: str | os.PathLike[str]) -> tuple[int, int] | None:
    sides: list[Any] = [content.get(key) for key in ("canvas_height", "canvas_width")]
    if sides == [None, None]:
        return None
    if not (are_coordinates(sides) and all(side > 0 and side == int(side) for side in sides)):
        raise InputError(f"{path}: canvas_height and canvas_width are not the size of a photo in pixels")
    return int(sides[0]), int(sides[1])


def _parse_pose(person: Any, frame: tuple[int, int] | None, where: str) -> NDArray[np.float32]:
    values = next((person[key] for key in _KEYS if key in person), None) if isinstance(person, dict) else None
    if not isinstance(values, list):
        raise InputError(f"{where} has no list pose_keypoints_2d")
    order = _MODELS.get(len(values) // 3)
    if order is None or len(values) % 3:
        raise InputError(
            f"{where} has {len(values)} numbers; x, y, confidence of {' or '.join(map(str, _MODELS))} joints "
            "were expected (OpenPose's models COCO and BODY_25)"
        )
    if not are_coordinates(values):
        raise InputError(f"{where}: pose_keypoints_2d holds something else than pixel coordinates")
    joints = np.array(values, dtype=np.float64).reshape(-1, 3)[order]
    is_known = joints[:, 2] > 0
    pose = np.where(is_known[:, None], joints[:, :2], np.nan)
    if is_known.sum() > 1 and np.nanmin(pose) >= 0 and np.nanmax(pose) <= 1:
        if frame is None:
            raise InputError(
                f"{where}: coordinates lie within 0 and 1, so they are parts of a photo of unknown size; add "
                "canvas_width and canvas_height to the file, or write pixels (keypoint_scale 0 of OpenPose)"
            )
        pose *= (frame[1], frame[0])
    return pose.astype(np.float32)
