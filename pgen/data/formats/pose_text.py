"""PIDM's pose files: 18 rows of ``x y``, -1 for a missing joint."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT
from pgen.data.inputs import decode_text, read_bytes
from pgen.errors import InputError

MISSING = -1
_FARTHEST = 1e5  # pixels; no photo is that large


def read_pose_text(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """The pose in ``path``: float32 (18, 2) (x, y), NaN = missing. Raises `InputError` naming the row."""
    lines = decode_text(read_bytes(path, "a pose"), path).splitlines()
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    joints = [_parse_numbers(line, f"{path}, row {number}") for number, line in rows]
    if len(joints) != JOINT_COUNT:
        raise InputError(f"{path} has {len(joints)} rows; x y of {JOINT_COUNT} joints were expected")
    pose = np.array(joints)
    pose[(pose == MISSING).any(axis=1)] = np.nan
    return pose.astype(np.float32)


def is_pose_text(text: str) -> bool:
    """Whether ``text`` begins with a row of two numbers."""
    first = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    try:
        _parse_numbers(first, "")
    except InputError:
        return False
    return True


def _parse_numbers(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in line.replace(",", " ").split())
    except ValueError as error:
        raise InputError(f"{where}: {line[:40]!r} is not of the form X Y") from error
    if not (abs(x) < _FARTHEST and abs(y) < _FARTHEST):
        raise InputError(f"{where}: {line[:40]!r} is not a pixel coordinate")
    return x, y
