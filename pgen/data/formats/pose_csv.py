"""Keypoint CSV:

``name:keypoints_y:keypoints_x``, one photo a row, the lists in JSON, -1 for a missing joint.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.data.inputs import decode_text, read_bytes
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

MISSING = -1
_HEADER = "name:keypoints_y:keypoints_x"
_ROW = re.compile(r"\s*(?P<name>.+?)\s*:\s*(?P<first>\[[^\[\]]*\])\s*:\s*(?P<second>\[[^\[\]]*\])\s*")
_FARTHEST = 1e5  # pixels; no photo is that large


def read_pose_csv(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """All poses of a keypoint CSV by photo name, in its order: float32 (18, 2) (x, y), NaN = missing.

    The header says which list comes first (y, in all files of the field); ``:`` separates with or without
    spaces, and may occur in names. A joint with a coordinate of -1 is missing. Raises `InputError` naming
    file and row.
    """
    lines = decode_text(read_bytes(path, "a keypoint CSV"), path).splitlines()
    y_first = _is_y_first(lines[0] if lines else "", path)
    poses: dict[str, NDArray[np.float32]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        name, pose = _parse_row(line, y_first, f"{path}, row {number}")
        if name in poses and not np.array_equal(poses[name], pose, equal_nan=True):
            raise InputError(f"{path}, row {number}: {name} has another pose further up; keep one of them")
        poses[name] = pose
    return poses


def write_pose_csv(
    path: str | os.PathLike[str], poses: Mapping[str, NDArray[np.floating]], force: bool = False
) -> Path:
    """Write ``poses``, arrays (18, 2) with NaN = missing by photo name, rounded to thousandths of a pixel.

    A coordinate of exactly -1, which the format takes for missing, is moved by a thousandth. Raises
    ValueError for names that the format cannot hold.
    """
    with atomic_write(path, force) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEADER + "\n")
        for name, pose in poses.items():
            if name != name.strip() or not name or len(name.splitlines()) != 1:
                raise ValueError(f"{name!r} cannot be a name in a keypoint CSV")
            x, y = (
                json.dumps(
                    [_to_number(*joint) for joint in zip(values.tolist(), known_joints(pose).tolist(), strict=True)]
                )
                for values in pose.T
            )
            file.write(f"{name}: {y}: {x}\n")
    return Path(path)


def is_pose_csv(text: str) -> bool:
    """Whether ``text``, the beginning of a file, has the header of a keypoint CSV."""
    return bool(re.match(r"\ufeff?\s*name\s*:\s*keypoints_[xy]", text))


def _is_y_first(header: str, path: str | os.PathLike[str]) -> bool:
    columns = [column.strip() for column in header.split(":")]
    if columns == ["name", "keypoints_y", "keypoints_x"]:
        return True
    if columns == ["name", "keypoints_x", "keypoints_y"]:
        return False
    raise InputError(f"{path}, row 1: a keypoint CSV begins with the header {_HEADER}")


def _parse_row(line: str, y_first: bool, where: str) -> tuple[str, NDArray[np.float32]]:
    match = _ROW.fullmatch(line)
    if match is None:
        raise InputError(f"{where}: not of the form NAME: [{JOINT_COUNT} y]: [{JOINT_COUNT} x]")
    first, second = (_parse_list(match[group], where) for group in ("first", "second"))
    y, x = (first, second) if y_first else (second, first)
    pose = np.stack([x, y], axis=1)
    pose[(pose == MISSING).any(axis=1)] = np.nan
    return match["name"], pose.astype(np.float32)


def _parse_list(text: str, where: str) -> NDArray[np.float64]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: {text[:40]} is not a list of numbers") from error
    if len(values) != JOINT_COUNT:
        raise InputError(f"{where}: {len(values)} coordinates instead of {JOINT_COUNT}, one a joint")
    if not all(isinstance(value, int | float) and abs(value) < _FARTHEST for value in values):
        raise InputError(f"{where}: {text[:40]}… is not a list of pixel coordinates")
    return np.array(values, dtype=np.float64)


def _to_number(value: float, is_known: bool) -> float:
    if not is_known:
        return MISSING
    rounded = round(value, 3)
    if rounded == MISSING:
        return MISSING - 0.001
    return int(rounded) if rounded.is_integer() else rounded
