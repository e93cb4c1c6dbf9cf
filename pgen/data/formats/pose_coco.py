"""COCO's JSON: joints of x, y and v (visibility or score); 0 for v is a missing joint, the neck is made up.

Shapes of it that are known: COCO's own (``images`` and ``annotations``), the plain list that detectors such as
AlphaPose write as their result (``[{"image_id": ..., "keypoints": [...]}, ...]``), one such entry by itself, and
MMPose's (``instances`` with ``keypoint_scores``, in frames or not). Of the 26, 133 or 136 joints of whole bodies, the
first 17 are COCO's.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, Joint, known_joints
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.pose_people import PosesOfPhoto, to_joints
from pgen.data.inputs import FARTHEST, are_coordinates
from pgen.errors import InputError

#: COCO's joints, in their order.
COCO_JOINTS: tuple[Joint, ...] = (
    Joint.NOSE, Joint.L_EYE, Joint.R_EYE, Joint.L_EAR, Joint.R_EAR, Joint.L_SHOULDER, Joint.R_SHOULDER,
    Joint.L_ELBOW, Joint.R_ELBOW, Joint.L_WRIST, Joint.R_WRIST, Joint.L_HIP, Joint.R_HIP,
    Joint.L_KNEE, Joint.R_KNEE, Joint.L_ANKLE, Joint.R_ANKLE,
)  # fmt: skip

#: Numbers of joints of skeletons that begin with COCO's: COCO, Halpe-26, COCO-WholeBody, Halpe-136.
_COUNTS = (len(COCO_JOINTS), 26, 133, 136)

_Size = tuple[int, int]
_Photo = tuple[str, _Size | None]  # file name, and (height, width) if the file says it


def is_coco(content: Any) -> bool:
    """Whether ``content``, parsed JSON, has one of the shapes."""
    if isinstance(content, list):
        return bool(content) and all(
            isinstance(entry, dict) and ("keypoints" in entry or "instances" in entry) for entry in content
        )
    keys = ("annotations", "keypoints", "instances", "instance_info")
    return isinstance(content, dict) and any(key in content for key in keys)


def parse_coco(content: Any, path: str | os.PathLike[str]) -> dict[str, PosesOfPhoto]:
    """The people in each photo of ``content``, COCO's JSON of the file ``path``.

    By the photo's name, "" for a lone entry without one, the number of frames. Entries without joints are left aside.
    Raises `InputError` naming the file and entry, and `NobodyFoundError` if there is nobody.
    """
    entries, images = _list_instances(content, path), {}
    if isinstance(content, dict):
        images = _parse_images(content.get("images", []), path)
    people: dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]] = defaultdict(list)
    frames: dict[str, _Size | None] = {}
    for index, entry in enumerate(entries):
        where = f"{path}, annotation {index}"
        if entry is None:
            continue
        if not isinstance(entry, dict):
            raise InputError(f"{where} is not an object")
        if entry.get("keypoints") is None or entry.get("num_keypoints") == 0:
            continue  # a person of whom only the box was marked
        name, frames[name] = _find_photo(entry, images, where)
        people[name].append(_parse_person(entry, where))
    if not any(known_joints(pose).any() for its in people.values() for pose, _ in its):
        raise NobodyFoundError(f"{path} has nobody with keypoints in it")
    return {
        name: PosesOfPhoto([pose for pose, _ in its], frames[name], [trust for _, trust in its])
        for name, its in people.items()
    }


def _list_instances(content: Any, path: str | os.PathLike[str]) -> list[Any]:
    """The entries of ``content``, a person each, with the number of the frame as ``image_id`` if there are several."""
    if isinstance(content, dict) and "instance_info" in content:
        _check_skeleton(content.get("meta_info"), path)
        content = content["instance_info"]
    if isinstance(content, dict):
        entries = content.get("instances", content.get("annotations", [content]))
    else:
        entries = content
    if not isinstance(entries, list):
        raise InputError(f"{path}: annotations is not a list")
    if not any(isinstance(entry, dict) and "instances" in entry for entry in entries):
        return entries
    flat: list[Any] = []
    for index, frame in enumerate(entries):
        inside = frame.get("instances") if isinstance(frame, dict) else None
        if not isinstance(inside, list):
            raise InputError(f"{path}, frame {index}: instances is not a list")
        number = frame.get("frame_id", index)
        several = {"image_id": str(number)} if len(entries) > 1 else {}
        flat += [several | entry if isinstance(entry, dict) else entry for entry in inside]
    return flat


def _check_skeleton(meta: Any, path: str | os.PathLike[str]) -> None:
    """Refuse joints that MMPose names otherwise than COCO does, such as those of Human3.6M, which are 17 as well."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    first = names.get("0") if isinstance(names, dict) else names[0] if isinstance(names, list) and names else None
    if first not in (None, "nose"):
        named = meta.get("dataset_name", "another data set")
        raise InputError(
            f"{path} has joints of {str(named)[:40]!r}, the first of which is {str(first)[:20]!r}; COCO's were "
            "expected, which begin with the nose"
        )


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


def _parse_person(entry: dict[str, Any], where: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Joints (18, 2) as the file has them, and their confidences (18,)."""
    values, scores = entry["keypoints"], entry.get("keypoint_scores")
    if isinstance(values, list) and len(values) == 1 and isinstance(scores, list) and len(scores) == 1:
        values, scores = values[0], scores[0]  # a list of one person
    if isinstance(values, list) and values and all(isinstance(row, list) for row in values):
        rows = values
        if isinstance(scores, list) and len(scores) == len(rows):
            rows = [[*row[:2], score] for row, score in zip(rows, scores, strict=True)]
        values = [number for row in rows for number in (row if len(row) == 3 else ["?"])]
    if not isinstance(values, list) or len(values) not in [3 * count for count in _COUNTS]:
        count = f"{len(values)} numbers" if isinstance(values, list) else "no list"
        raise InputError(
            f"{where} has {count} for keypoints; x, y, v of {', '.join(map(str, _COUNTS[:-1]))} or {_COUNTS[-1]} "
            "joints were expected"
        )
    if not are_coordinates(values):
        raise InputError(f"{where}: keypoints hold something else than pixel coordinates")
    joints = to_joints(values)[: len(COCO_JOINTS)]
    pose, trust = np.full((JOINT_COUNT, 2), np.nan), np.zeros(JOINT_COUNT)
    pose[list(COCO_JOINTS)] = np.where(joints[:, 2:] > 0, joints[:, :2], np.nan)
    trust[list(COCO_JOINTS)] = joints[:, 2].clip(min=0)
    shoulders = [Joint.L_SHOULDER, Joint.R_SHOULDER]
    pose[Joint.NECK], trust[Joint.NECK] = pose[shoulders].mean(0), trust[shoulders].min()  # missing if one of them is
    return pose.astype(np.float32), trust.astype(np.float32)
