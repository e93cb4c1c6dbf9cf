"""OpenPose's JSON: ``people[].pose_keypoints_2d`` = x, y, confidence, ...

Pixels of the photo, or parts of it; (0, 0, 0), or no confidence, is a missing joint. The size of the photo stands in
``canvas_width`` and ``canvas_height``, as editors of poses write it, or is not known.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.pose_people import MIN_CONFIDENCE, PosesOfPhoto, to_joints
from pgen.data.inputs import are_coordinates
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

#: Where the 18 joints stand in each model of OpenPose, by its number of joints. BODY_25 has the middle of the
#: hips (8) and the feet (19-24) besides; BODY_135 begins like it, but without neck and middle of the hips.
_MODELS = {JOINT_COUNT: list(range(JOINT_COUNT)), 25: [*range(8), *range(9, 19)]}
_KEYS = ("pose_keypoints_2d", "pose_keypoints", "joints")  # the last is AlphaPose's
_LISTS = ("people", "bodies")


def is_openpose(content: Any) -> bool:
    """Whether ``content``, parsed JSON, is a frame of OpenPose's."""
    return isinstance(content, dict) and any(isinstance(content.get(key), list) for key in _LISTS)


def list_frames(content: Any) -> dict[str, Any] | None:
    """The frames of ``content``, parsed JSON, by name: of a list their numbers. None if it is not made of frames."""
    if isinstance(content, list) and content and all(map(is_openpose, content)):
        return {str(index): frame for index, frame in enumerate(content)}
    if isinstance(content, dict) and content and not is_openpose(content) and all(map(is_openpose, content.values())):
        return content  # as AlphaPose writes it: photos by name
    return None


def parse_openpose(content: Any, path: str | os.PathLike[str]) -> PosesOfPhoto:
    """The people in ``content``, one frame of the JSON of the file ``path``; one who is null has no joints.

    Raises `InputError` naming the file and person, and `NobodyFoundError` if nobody has joints.
    """
    people = next((content[key] for key in _LISTS if key in content), None) if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f'{path} has no list "people"; an OpenPose JSON file was expected')
    frame = _parse_frame(content, path)
    found = [_parse_person(person, f"{path}, person {index}") for index, person in enumerate(people)]
    if not any(known_joints(pose).any() for pose, _ in found):
        what = "no people" if not people else "no people with joints"
        raise NobodyFoundError(f"{path} has {what}; OpenPose found nobody in the photo")
    return PosesOfPhoto([pose for pose, _ in found], frame, [confidence for _, confidence in found])


def write_pose_json(
    path: str | os.PathLike[str],
    pose: NDArray[np.floating],
    frame: tuple[int, int] | None = None,
    overwrite: bool = False,
    confidence: NDArray[np.floating] | None = None,
) -> Path:
    """Write ``pose``, (18, 2) with NaN = missing, as OpenPose's JSON.

    ``frame`` is the (height, width) of its photo, ``confidence`` (18,) 0 to 1, or 1 for all; a joint that is known has
    at least that with which it is read again. Coordinates are rounded to thousandths of a pixel.
    """
    flat: list[float] = []
    trust = np.ones(len(pose)) if confidence is None else np.clip(confidence, MIN_CONFIDENCE, 1)
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


def _parse_person(person: Any, where: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Joints (18, 2) as the file has them, and confidences (18,); all missing for a person who is null."""
    nothing = np.full((JOINT_COUNT, 2), np.nan, np.float32), np.zeros(JOINT_COUNT, np.float32)
    if person is None:
        return nothing
    key = next((key for key in _KEYS if key in person), None) if isinstance(person, dict) else None
    values = person[key] if key is not None else 0
    if values in (None, []):
        return nothing
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
    joints = to_joints(values)[order]
    confidence = joints[:, 2].clip(min=0)
    pose = np.where(confidence[:, None] > 0, joints[:, :2], np.nan)
    return pose.astype(np.float32), confidence.astype(np.float32)
