"""Poses of one person that follow each other, in files: OpenPose's folder with a file a frame, and JSON of frames."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints
from pgen.data.annotators.choose import measure_gap
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.keypoints import choose_person, detect_pose_format, read_poses
from pgen.data.formats.moving_pictures import choose_evenly, sort_frames
from pgen.data.formats.pose_people import PosesOfPhoto
from pgen.data.scan import PHOTO_SUFFIXES, scan_folder
from pgen.errors import InputError

_NUMBERED = re.compile(r"(.*?)(\d+)(\.\w+)?")
_SPARSE = 3  # numbers a name, on average, up to which photos are frames of one video
_SAME_PERSON = 0.5  # of a pose's longer side, by which the same person moves from a frame that is taken to the next


@dataclass(frozen=True)
class PoseFrames:
    """What pose files have of each frame that is taken, in order."""

    names: Sequence[str]
    people: Sequence[PosesOfPhoto | None]  #: None: nobody
    count: int  #: frames there are
    size: tuple[int, int] | None  #: (height, width) of the frames, if the files say it


def read_pose_frames(path: Path, most: int) -> PoseFrames | None:
    """The frames of ``path``; of more than ``most``, as many evenly chosen. None if it is no motion but a pose, or
    pictures.

    Raises `InputError` if a file cannot be read, or frames differ in size.
    """
    if path.is_dir():
        files = [*scan_folder(path, (".json",), deep=False).values()]
        if not files or scan_folder(path, PHOTO_SUFFIXES, deep=False):
            return None
        ordered = sort_frames(files)
        taken = [ordered[index] for index in choose_evenly(len(ordered), most)]
        frames = {file.stem.removesuffix("_keypoints"): _read_frame(file) for file in taken}
        return _gather(path, frames, len(files))
    if not is_pose_motion(path):
        return None
    found = read_poses(path)
    numbers = {_get_number(name): name for name in found}
    first, count = min(numbers), max(numbers) - min(numbers) + 1
    taken_numbers = [first + index for index in choose_evenly(count, most)]
    names = {number: numbers.get(number, f"{number}") for number in taken_numbers}
    return _gather(path, {names[number]: found.get(names[number]) for number in taken_numbers}, count)


def is_pose_motion(path: Path) -> bool:
    """Whether ``path`` is a file of poses of several frames; a folder is looked at when it is read."""
    with suppress(InputError):  # which reading it as a pose says better
        return path.is_file() and detect_pose_format(path) == "json" and _are_frames(list(read_poses(path)))
    return False


def follow_person(frames: PoseFrames, path: Path, number: int | None, least: float) -> list[NDArray[np.float32] | None]:
    """The pose (18, 2) of one person in each frame: of that ``number``, or of who is largest and surest at first.

    They are then whoever is nearest to where they were. Joints of less confidence than ``least`` are left out. Raises
    `InputError` if there is no such person.
    """
    poses: list[NDArray[np.float32] | None] = []
    before: NDArray[np.float32] | None = None
    for name, found in zip(frames.names, frames.people, strict=True):
        if found is None:
            poses.append(None)
            continue
        found = found.in_pixels(frames.size, f"{path}, frame {name}")
        index = number
        if number is None and before is not None:
            gaps = [measure_gap(before, pose) for pose in found.poses]
            reach = _SAME_PERSON * float(np.ptp(before[known_joints(before)], axis=0).max())
            nearest = int(np.argmin(gaps))
            index = nearest if gaps[nearest] < reach else None
        if index is not None and index >= len(found.poses):
            poses.append(None)  # they are not in this frame
            continue
        pose = choose_person(found, path, name, index, least).pose
        poses.append(pose if known_joints(pose).any() else None)
        before = pose if known_joints(pose).any() else before
    return poses


def _read_frame(file: Path) -> PosesOfPhoto | None:
    try:
        found = read_poses(file)
    except NobodyFoundError:
        return None
    if len(found) != 1:
        raise InputError(f"{file} has poses of {len(found)} photos; a file a frame was expected")
    return next(iter(found.values()))


def _gather(path: Path, frames: Mapping[str, PosesOfPhoto | None], count: int) -> PoseFrames:
    sizes = {its.frame for its in frames.values() if its is not None}
    if len(sizes) > 1:
        raise InputError(f"{path}: its frames differ in size; give frames of one size")
    return PoseFrames([*frames], [*frames.values()], count, next(iter(sizes), None))


def _are_frames(names: Sequence[str]) -> bool:
    """Whether names are those of frames of one video: alike but for numbers, of which hardly any is left out."""
    matches = [_NUMBERED.fullmatch(name) for name in names]
    if len(names) < 2 or not all(matches):
        return False
    if len({(match[1], match[3]) for match in matches if match}) > 1 or len({*map(_get_number, names)}) < len(names):
        return False
    numbers = [_get_number(name) for name in names]
    return max(numbers) - min(numbers) < _SPARSE * len(names)


def _get_number(name: str) -> int:
    match = _NUMBERED.fullmatch(name)
    assert match is not None
    return int(match[2][-15:])
