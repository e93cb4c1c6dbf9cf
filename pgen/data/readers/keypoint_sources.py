"""The keypoints of a data set: tables of all photos, or a folder with a file for each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgen.data.formats.keypoints import read_poses
from pgen.data.formats.pose_people import MIN_CONFIDENCE, ChosenPose, PosesOfPhoto
from pgen.data.names import PhotoNames
from pgen.data.scan import scan_folder
from pgen.errors import InputError

_FILES = (".json", ".txt", ".csv")
_ENDING = "_keypoints"  # of the file names that OpenPose writes

#: Where a photo's pose is: in a table that has been read, or in a file of its own.
PoseRow = PosesOfPhoto | Path


def load_pose(
    row: PoseRow, size: tuple[int, int], least: float = MIN_CONFIDENCE
) -> tuple[ChosenPose, tuple[int, int] | None]:
    """The pose (18, 2) of whom ``row`` shows largest and surest, and the frame it refers to if its file says so.

    Joints of less confidence than ``least`` are left out. ``size`` (height, width) is what coordinates within 0 and 1,
    or -1 and 1, are parts of. Raises `InputError` if the file cannot be read.
    """
    where = str(row) if isinstance(row, Path) else "the row"
    if isinstance(row, Path):
        named = read_poses(row, size)
        if len(named) != 1:
            raise InputError(f"{row} has poses of {len(named)} photos; a file for one photo was expected")
        (row,) = named.values()
    try:
        return row.in_pixels(size, where).choose(None, least), row.frame
    except InputError as error:
        raise InputError(f"{where}: {error}", option=error.option) from None


def find_poses(sources: Sequence[str | os.PathLike[str]]) -> dict[str, PoseRow]:
    """The poses in ``sources`` by the name of the photo, as far as they say it.

    Each source is a keypoint CSV, COCO's JSON, or a folder with a file a photo (JSON of OpenPose or COCO, or text),
    which is named like the photo, with or without its suffix. Raises `InputError` if a source cannot be read, does not
    say which photo a pose belongs to, or has another pose for a photo than one before.
    """
    rows: dict[str, PoseRow] = {}
    for source in map(Path, sources):
        found = _list_folder(source) if source.is_dir() else _read_table(source)
        for name, row in found.items():
            if name in rows and not _is_same(rows[name], row):
                raise InputError(f"{source}: {name} has another pose in a file before; keep one of them")
            rows[name] = row
    return rows


@dataclass(frozen=True)
class MatchedPoses:
    """The poses of a data set's photos."""

    sources: Sequence[Path]
    rows: Mapping[str, PoseRow]  # all there are, by the names in the sources
    by_photo: Mapping[str, PoseRow]
    unmatched: Sequence[str]  # names of rows that belong to no photo, sorted


def match_poses(sources: Sequence[Path], photos: PhotoNames) -> MatchedPoses:
    """The poses in ``sources``, as `find_poses` takes them, and which of ``photos`` they belong to.

    Raises `InputError` as `find_poses` does, or if there are sources, but not one row for any photo.
    """
    rows = find_poses(sources)
    row_of = photos.match(rows, join_paths(sources))
    if sources and not row_of:
        raise InputError(
            f"{join_paths(sources)}: no row belongs to any photo in {photos.where}: the first row is "
            f"{next(iter(rows), '(none)')!r}, the first photo {next(iter(photos.photos))!r}"
        )
    by_photo = {photo: rows[row] for photo, row in row_of.items()}
    return MatchedPoses(sources, rows, by_photo, sorted(rows.keys() - set(row_of.values())))


def join_paths(paths: Sequence[Path]) -> str:
    """What to call several files in messages."""
    return " and ".join(map(str, paths))


def _read_table(path: Path) -> dict[str, PoseRow]:
    people = read_poses(path)
    if "" in people:
        raise InputError(f"{path} does not say which photo its pose belongs to; give a table, or the folder it is in")
    return dict(people)


def _list_folder(folder: Path) -> dict[str, PoseRow]:
    rows: dict[str, PoseRow] = {}
    for path in scan_folder(folder, _FILES).values():
        if path.suffix.lower() == ".csv":
            raise InputError(f"{folder} has a file of its own for each photo, but also {path.name}; name one of them")
        name = path.relative_to(folder).with_suffix("").as_posix().removesuffix(_ENDING)
        if name in rows:
            raise InputError(f"{folder}: {rows[name]} and {path} are named alike; keep one of them")
        rows[name] = path
    if not rows:
        raise InputError(f"{folder} has no keypoints (.json or .txt, named like the photos)")
    return rows


def _is_same(first: PoseRow, second: PoseRow) -> bool:
    if isinstance(first, Path) or isinstance(second, Path):
        return first == second
    return np.array_equal(first.poses, second.poses, equal_nan=True) and np.array_equal(
        first.confidences, second.confidences
    )
