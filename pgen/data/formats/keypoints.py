"""Poses in files of every kind that is known here, recognized by their content."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.images import looks_like_image
from pgen.data.formats.pose_coco import is_coco, parse_coco
from pgen.data.formats.pose_json import list_frames, parse_openpose
from pgen.data.formats.pose_people import MIN_CONFIDENCE, PosesOfPhoto
from pgen.data.formats.pose_text import is_pose_csv, is_pose_text, read_pose_csv, read_pose_text
from pgen.data.inputs import decode_text, read_bytes, read_text, split_spec
from pgen.data.names import normalize_name, suggest_names
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError

PoseFormat = Literal["csv", "json", "text", "store", "image"]


@dataclass(frozen=True)
class LoadedPose:
    """A pose and what its file says about it."""

    pose: NDArray[np.float32]  # (18, 2) (x, y) in pixels, NaN = missing
    frame: tuple[int, int] | None  # (height, width) of the photo it belongs to, if known
    name: str  # of the photo in the file, or of the file
    notes: tuple[str, ...] = ()  # what it was estimated by, if it was, or how it was read
    doubts: tuple[str, ...] = ()  # what may be wrong with it


def detect_pose_format(path: str | os.PathLike[str]) -> PoseFormat:
    """How ``path`` holds poses, as its content shows; an "image" is a photo, without pose.

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
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return "json"
    if is_pose_text(text):
        return "text"
    raise InputError(
        f"{path} is no pose: a keypoint CSV (header name:keypoints_y:keypoints_x), the JSON of OpenPose or COCO, 18 "
        "rows of x y, or a prepared store was expected"
    )


def read_poses(path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> dict[str, PosesOfPhoto]:
    """All people in the pose file ``path`` by the name of their photo, "" where the file does not say it.

    The file is a keypoint CSV, 18 rows of x y, or JSON as OpenPose, COCO, MMPose and AlphaPose write it; frames without
    names have numbers, and those that show nobody are left out. Poses are in pixels if the size of their photo is
    known, by the file or as ``size`` (height, width). Raises `InputError` for anything else, and `NobodyFoundError` if
    there is nobody.
    """
    form = detect_pose_format(path)
    if form == "image":
        raise InputError(f"{path} is a photo, not a pose; give its keypoints (CSV, JSON, text or a store)")
    if form == "store":
        raise InputError(f"{path} is a store, not a file of keypoints")
    if form == "json":
        found = _read_json(path)
    else:
        poses = read_pose_csv(path) if form == "csv" else {"": read_pose_text(path)}
        found = {name: PosesOfPhoto([pose], None) for name, pose in poses.items()}
    return {
        name: its if (its.frame or size) is None else its.in_pixels(size, f"{path}: {name}" if name else str(path))
        for name, its in found.items()
    }


def _read_json(path: str | os.PathLike[str]) -> dict[str, PosesOfPhoto]:
    try:
        content = json.loads(read_text(path, "a pose in JSON"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {' '.join(str(error).split())[:120]}") from error
    if is_coco(content):
        return parse_coco(content, path)
    frames = list_frames(content)
    if frames is None or (isinstance(content, list) and len(frames) == 1):  # pose editors write a list of one
        return {"": parse_openpose(content if frames is None else content[0], path)}
    found = {}
    for name, frame in frames.items():
        with suppress(NobodyFoundError):
            found[name] = parse_openpose(frame, f"{path}, frame {name}")
    if not found:
        raise NobodyFoundError(f"{path} has no people in any of {len(frames)} frames; OpenPose found nobody")
    return found


def read_pose(
    spec: str | os.PathLike[str],
    person: int | None = None,
    default_name: str | None = None,
    default_person: int | None = None,
    size: tuple[int, int] | None = None,
    min_confidence: float = MIN_CONFIDENCE,
) -> LoadedPose:
    """The pose that ``spec`` names.

    ``spec`` is a file with one photo's poses (JSON, text, a CSV with one row; ``person`` says which of several people,
    else ``default_person``, else whom it shows largest and surest), or ``FILE.csv:NAME``, ``FILE.json:NAME`` (COCO, or
    the number of a frame) or ``FILE.h5:NAME``. Without a NAME, the entry called ``default_name`` (file name of the
    photo that the pose belongs to) is taken. Joints below ``min_confidence`` are left out; ``size`` is as in
    `read_poses`. Raises `InputError` naming file, row or person, and names close to NAME.
    """
    path, name = split_spec(spec)
    if is_hdf5(path):
        with Store(path) as store:
            index = store.find(_entry(path, store.names, name, default_name))
            if person:
                raise InputError(f"{spec} is an entry of one person, 0, and no person {person}", option="number")
            return LoadedPose(store.poses[index], store.size, store.names[index])
    poses = read_poses(path)
    is_nameless = list(poses) == [""]
    if is_nameless and name is not None:
        raise InputError(f"{spec}: {path.name} holds no names, so {name!r} cannot be looked up; give {path} alone")
    entry = "" if is_nameless else _entry(path, list(poses), name, default_name)
    found = poses[entry].in_pixels(size, os.fspath(spec))
    if person is None and len(found.poses) > 1:
        person = default_person
    label = entry or path.name
    chosen = choose_person(found, path, label, person, min_confidence)
    notes = chosen.notes
    if name is None and default_name is not None and entry and not _is_called(entry, default_name):
        notes = (*notes, f"{path.name} has one pose, of {entry}; it is taken for {default_name}")
    return replace(chosen, notes=notes)


def choose_person(
    found: PosesOfPhoto, path: Path, label: str, person: int | None, min_confidence: float = MIN_CONFIDENCE
) -> LoadedPose:
    """One of the people ``found`` in the file ``path``; ``label`` is what to call the pose. Raises `InputError`."""
    try:
        pose, notes, doubts, _ = found.choose(person, min_confidence)
    except InputError as error:
        raise InputError(f"{path}: {error}", option=error.option) from None
    said, doubted = (tuple(f"{label}: {line}" for line in lines) for lines in (notes, doubts))
    return LoadedPose(pose, found.frame, label, said, doubted)


def _is_called(entry: str, photo: str) -> bool:
    """Whether a row's name is that of ``photo``, in another folder or with another suffix."""
    return Path(normalize_name(entry.replace("\\", "/"))).stem == Path(normalize_name(photo)).stem


def _entry(path: Path, names: list[str], name: str | None, default_name: str | None) -> str:
    """Which of ``names`` is meant."""
    wanted = name if name is not None else default_name
    wanted = wanted if wanted is None or wanted in names else normalize_name(wanted)
    if not names:
        raise InputError(f"{path} has no poses in it")
    same = [other for other in names if wanted in (other, normalize_name(other))]
    same_file = [other for other in names if normalize_name(other.replace("\\", "/").rsplit("/", 1)[-1]) == wanted]
    for meant in (same, same_file, names if name is None else []):
        if len(meant) == 1:
            return meant[0]
    if wanted is None:
        raise InputError(f"{path} has {len(names)} poses; name one of them, such as {path}:{names[0]}")
    hint = "" if name is not None else f"; name the row as {path}:NAME"
    raise InputError(f"{path} has no {wanted!r}{suggest_names(wanted, names)}{hint}")
