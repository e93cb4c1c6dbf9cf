"""Poses in plain text, -1 for a missing joint.

Keypoint CSV has the header ``name:keypoints_y:keypoints_x`` and one photo a row, the lists in JSON. PIDM's pose files
have 18 rows of ``x y``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT
from pgen.data.inputs import are_coordinates, read_text
from pgen.errors import InputError

_HEADER = "name:keypoints_y:keypoints_x"
_ROW = re.compile(r"\s*(?P<name>.+?)\s*:\s*(?P<first>\[[^\[\]]*\])\s*:\s*(?P<second>\[[^\[\]]*\])\s*")


def read_pose_csv(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """All poses of a keypoint CSV by photo name, in its order: float32 (18, 2) (x, y), NaN = missing.

    The header says which list comes first (y, in all files of the field); ``:`` separates with or without
    spaces, and may occur in names. A joint with a coordinate of -1 is missing. Raises `InputError` naming
    file and row.
    """
    lines = read_text(path, "a keypoint CSV").splitlines()
    columns = [column.strip() for column in lines[0].split(":")] if lines else []
    if columns not in (["name", "keypoints_y", "keypoints_x"], ["name", "keypoints_x", "keypoints_y"]):
        raise InputError(f"{path}, row 1: a keypoint CSV begins with the header {_HEADER}")
    poses: dict[str, NDArray[np.float32]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"{path}, row {number}"
        match = _ROW.fullmatch(line)
        if match is None:
            raise InputError(f"{where}: not of the form NAME: [{JOINT_COUNT} y]: [{JOINT_COUNT} x]")
        name, *lists = match.groups()
        found = dict(zip(columns[1:], (_parse_list(text, where) for text in lists), strict=True))
        pose = _to_pose([*zip(found["keypoints_x"], found["keypoints_y"], strict=True)])
        if name in poses and not np.array_equal(poses[name], pose, equal_nan=True):
            raise InputError(f"{where}: {name} has another pose further up; keep one of them")
        poses[name] = pose
    return poses


def is_pose_csv(text: str) -> bool:
    """Whether ``text``, the beginning of a file, has the header of a keypoint CSV."""
    return bool(re.match(r"\ufeff?\s*name\s*:\s*keypoints_[xy]", text))


def _parse_list(text: str, where: str) -> list[float]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: {text[:40]} is not a list of numbers") from error
    if len(values) != JOINT_COUNT:
        raise InputError(f"{where}: {len(values)} coordinates instead of {JOINT_COUNT}, one a joint")
    if not are_coordinates(values):
        raise InputError(f"{where}: {text[:40]}… is not a list of pixel coordinates")
    return values


def read_pose_text(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """The pose in PIDM's ``path``: float32 (18, 2) (x, y), NaN = missing. Raises `InputError` naming the row."""
    lines = read_text(path, "a pose").splitlines()
    joints = [_parse_row(line, f"{path}, row {i}") for i, line in enumerate(lines, start=1) if line.strip()]
    if len(joints) != JOINT_COUNT:
        raise InputError(f"{path} has {len(joints)} rows; x y of {JOINT_COUNT} joints were expected")
    return _to_pose(joints)


def is_pose_text(text: str) -> bool:
    """Whether ``text`` begins with a row of two numbers."""
    first = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    try:
        return bool(_parse_row(first, ""))
    except InputError:
        return False


def _parse_row(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in line.replace(",", " ").split())
    except ValueError as error:
        raise InputError(f"{where}: {line[:40]!r} is not of the form X Y") from error
    if not are_coordinates([x, y]):
        raise InputError(f"{where}: {line[:40]!r} is not a pixel coordinate")
    return x, y


def _to_pose(joints: Sequence[tuple[float, float]]) -> NDArray[np.float32]:
    pose = np.array(joints, np.float64)
    pose[(pose == -1).any(axis=1)] = np.nan
    return pose.astype(np.float32)
