"""COCO's JSON: 17 joints of x, y and v (visibility or score); 0 for v is a missing joint, the neck is made up.

Three shapes of it are known: COCO's own (``images`` and ``annotations``), the plain list that detectors write as their
result (``[{"image_id": ..., "keypoints": [...]}, ...]``), and one such entry by itself.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, Joint
from pgen.data.formats.pose_json import PosesOfPhoto
from pgen.data.inputs import FARTHEST, are_coordinates
from pgen.errors import InputError

#: COCO's joints, in their order.
COCO_JOINTS: tuple[Joint, ...] = (
    Joint.NOSE, Joint.L_EYE, Joint.R_EYE, Joint.L_EAR, Joint.R_EAR, Joint.L_SHOULDER, Joint.R_SHOULDER,
    Joint.L_ELBOW, Joint.R_ELBOW, Joint.L_WRIST, Joint.R_WRIST, Joint.L_HIP, Joint.R_HIP,
    Joint.L_KNEE, Joint.R_KNEE, Joint.L_ANKLE, Joint.R_ANKLE,
)  # fmt: skip

_Photo = tuple[str, tuple[int, int] | None]  # file name, and (height, width) if the file says it


def is_coco(content: Any) -> bool:
    """Whether ``content``, parsed JSON, has one of COCO's shapes."""
    if isinstance(content, list):
        return bool(content) and all(isinstance(entry, dict) and "keypoints" in entry for entry in content)
    return isinstance(content, dict) and ("annotations" in content or "keypoints" in content)


def parse_coco(content: Any, path: str | os.PathLike[str]) -> dict[str, PosesOfPhoto]:
    """The people in each photo of ``content``, COCO's JSON of the file ``path``.

    By the photo's name, "" for a lone entry without one. Raises `InputError` naming the file and entry, or if there is
    nobody.
    """
    entries, images = content, {}
    if isinstance(content, dict):
        entries = content.get("annotations", [content])
        images = _parse_images(content.get("images", []), path)
    if not isinstance(entries, list):
        raise InputError(f"{path}: annotations is not a list")
    people: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    frames: dict[str, tuple[int, int] | None] = {}
    for index, entry in enumerate(entries):
        where = f"{path}, annotation {index}"
        if not isinstance(entry, dict):
            raise InputError(f"{where} is not an object")
        if "keypoints" not in entry or entry.get("num_keypoints") == 0:
            continue  # a person of whom only the box was marked
        name, frames[name] = _find_photo(entry, images, where)
        people[name].append(_parse_pose(entry["keypoints"], where))
    if not people:
        raise InputError(f"{path} has nobody with keypoints in it")
    return {name: PosesOfPhoto(poses, frames[name]) for name, poses in people.items()}


def _parse_images(rows: Any, path: str | os.PathLike[str]) -> dict[str | int, _Photo]:
    """The photos by their ids."""
    if not isinstance(rows, list):
        raise InputError(f"{path}: images is not a list")
    found: dict[str | int, _Photo] = {}
    for index, row in enumerate(rows):
        name = row.get("file_name") if isinstance(row, dict) else None
        number = row.get("id") if isinstance(row, dict) else None
        if not isinstance(name, str) or not isinstance(number, str | int):
            raise InputError(f"{path}, image {index}: no file_name or no id")
        sides = (row.get("height"), row.get("width"))
        whole = all(type(side) is int and 0 < side < FARTHEST for side in sides)
        found[number] = (name, (sides[0], sides[1]) if whole else None)
    return found


def _find_photo(entry: dict[str, Any], images: dict[str | int, _Photo], where: str) -> _Photo:
    number = entry.get("image_id", entry.get("file_name", ""))
    if not isinstance(number, str | int):
        raise InputError(f"{where}: image_id is neither a number nor a name")
    if number in images:
        return images[number]
    if images:
        raise InputError(f"{where}: there is no image with the id {str(number)[:40]!r}")
    return str(number), None


def _parse_pose(values: Any, where: str) -> NDArray[np.float32]:
    if not isinstance(values, list) or len(values) != 3 * len(COCO_JOINTS):
        count = f"{len(values)} numbers" if isinstance(values, list) else "no list"
        raise InputError(f"{where} has {count} for keypoints; x, y, v of {len(COCO_JOINTS)} joints were expected")
    if not are_coordinates(values):
        raise InputError(f"{where}: keypoints hold something else than pixel coordinates")
    joints = np.array(values, dtype=np.float64).reshape(-1, 3)
    pose = np.full((JOINT_COUNT, 2), np.nan)
    pose[list(COCO_JOINTS)] = np.where(joints[:, 2:] > 0, joints[:, :2], np.nan)
    pose[Joint.NECK] = (pose[Joint.L_SHOULDER] + pose[Joint.R_SHOULDER]) / 2  # missing if a shoulder is
    return pose.astype(np.float32)
