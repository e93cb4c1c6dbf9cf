"""Poses in files of every kind that is known here, told apart by their content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pgen.data.images import looks_like_image
from pgen.data.inputs import decode_text, read_bytes, split_spec
from pgen.data.names import close_matches
from pgen.data.pose_csv import is_pose_csv, read_pose_csv, write_pose_csv
from pgen.data.pose_json import read_pose_json, write_pose_json
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError

__all__ = [
    "LoadedPose",
    "pose_format",
    "read_pose",
    "read_pose_csv",
    "read_pose_json",
    "write_pose_csv",
    "write_pose_json",
]

PoseFormat = Literal["csv", "json", "store", "image"]


@dataclass(frozen=True)
class LoadedPose:
    """A pose and what its file tells about it."""

    pose: NDArray[np.float32]  # (18, 2) (x, y) in pixels, NaN = missing
    frame: tuple[int, int] | None  # (height, width) of the photo it belongs to, if known
    name: str  # of the photo in the file, or of the file


def pose_format(path: str | os.PathLike[str]) -> PoseFormat:
    """How ``path`` holds poses, judged by its content; an "image" is a photo, without pose.

    Raises `InputError` if it is nothing of the kind.
    """
    if is_hdf5(path):
        return "store"
    data = read_bytes(path, "a pose")
    if looks_like_image(data[:16]):
        return "image"
    text = decode_text(data, path)
    if is_pose_csv(text[:200]):
        return "csv"
    if text.lstrip()[:1] in ("{", "["):
        return "json"
    raise InputError(
        f"{path} is no pose: a keypoint CSV (header name:keypoints_y:keypoints_x), OpenPose's JSON or a "
        "store made by `pgen prepare` was expected"
    )


def read_pose(spec: str | os.PathLike[str], person: int | None = None, default_name: str | None = None) -> LoadedPose:
    """The pose that ``spec`` names.

    ``spec`` is ``FILE.json`` (``person`` says which of several people, else the largest), ``FILE.csv`` with
    one row, or ``FILE.csv:NAME`` or ``FILE.h5:NAME``. Without a NAME, the entry called ``default_name`` (the
    file name of the photo that the pose belongs to) is taken. Raises `InputError` naming file, row or person,
    and names close to NAME.
    """
    path, name = split_spec(spec)
    form = pose_format(path)
    if form == "store":
        with Store(path) as store:
            index = store.find(_entry(path, store.names, name, default_name))
            return LoadedPose(store.poses[index], store.size, store.names[index])
    if form == "csv":
        poses = read_pose_csv(path)
        entry = _entry(path, list(poses), name, default_name)
        return LoadedPose(poses[entry], None, entry)
    if form == "image":
        raise InputError(f"{path} is a photo, not a pose; give its keypoints (CSV, JSON or a store)")
    if name is not None:
        raise InputError(f"{spec}: JSON holds no names, so {name!r} cannot be looked up; give {path} alone")
    found = read_pose_json(path)
    index = found.largest() if person is None else person
    if not 0 <= index < len(found.poses):
        raise InputError(f"{path} has {len(found.poses)} people, 0 to {len(found.poses) - 1}, and no person {index}")
    return LoadedPose(found.poses[index], found.frame, path.name)


def _entry(path: Path, names: list[str], name: str | None, default_name: str | None) -> str:
    """Which of ``names`` is meant."""
    wanted = name if name is not None else default_name
    if wanted in names:
        return str(wanted)
    if not names:
        raise InputError(f"{path} has no poses in it")
    if wanted is not None:
        same_file = [other for other in names if other.replace("\\", "/").rsplit("/", 1)[-1] == wanted]
        if len(same_file) == 1:
            return same_file[0]
        if name is None and len(names) == 1:
            return names[0]
        raise InputError(
            f"{path} has no {wanted!r}{close_matches(wanted, names)}"
            + ("" if name is not None else f"; name the row as {path}:NAME")
        )
    if len(names) == 1:
        return names[0]
    raise InputError(f"{path} has {len(names)} poses; name one of them, such as {path}:{names[0]}")
