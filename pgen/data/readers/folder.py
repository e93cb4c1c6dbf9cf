"""A data set that is a folder of photos with keypoints, parsing maps and pairs in any of the field's forms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pgen.data.formats.pair_lists import read_pairs
from pgen.data.formats.pairs_csv import groups
from pgen.data.formats.parsing_schemes import ParsingScheme, load_scheme
from pgen.data.formats.pose_csv import is_pose_csv
from pgen.data.names import PhotoNames
from pgen.data.readers.keypoint_sources import find_poses
from pgen.data.readers.photo_set import Conventions, Estimating, Found, PhotoSet, gather
from pgen.data.readers.tree import find_maps, find_photos, listed_splits, no_photos, split_lists
from pgen.errors import InputError

PathLike = str | os.PathLike[str]


def find_folder(
    root: PathLike,
    keypoints: Sequence[PathLike] = (),
    parsing: PathLike | None = None,
    pairs: Sequence[PathLike] = (),
    frame: tuple[int, int] | None = None,
    images: PathLike | None = None,
    scheme: ParsingScheme | None = None,
    estimating: Estimating | None = None,
) -> PhotoSet:
    """Find what belongs together in ``root``.

    Photos lie in ``root/images``, or in ``root`` itself, or in ``images``, relative to ``root``. ``keypoints`` are
    files or folders as `find_poses` takes them: without any, ``root/keypoints.csv``, or the only keypoint CSV in
    ``root``, or the folder ``root/keypoints``. ``parsing`` is a folder of maps (.npy or .png) named like the photos:
    without it, ``root/parsing``, or .npy files beside the photos; they hold labels of ``scheme``. ``pairs`` is a list
    as `read_pairs` takes it: without it, ``root/pairs.csv`` if there is one. ``root/train.lst`` and ``root/test.lst``,
    if they are there, say which photos are for what. ``frame`` (height, width) is what the keypoints refer to, if not
    the photos. Photos in one folder below that of the photos, and photos that are paired, show the same person. With
    ``estimating`` poses may be missing. Raises `InputError` if something is missing or does not fit.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"--root {root} is not a folder; give the folder of the data set")
    sources = [Path(path) for path in keypoints] or _find_keypoints(root, estimating is not None and estimating.pose)
    folder = root / images if images is not None else root / "images" if (root / "images").is_dir() else root
    maps_in = Path(parsing) if parsing is not None else root / "parsing"
    files = find_photos(folder, without=maps_in)
    if not files:
        raise no_photos(folder)
    names = PhotoNames(files, folder)
    rows = find_poses(sources)
    where = " and ".join(map(str, sources))
    row_of = names.match(rows, where)
    if sources and not row_of:
        raise InputError(
            f"{where} has no row for any photo in {folder}: its first row is {next(iter(rows), '(none)')!r}, "
            f"the first photo {next(iter(files))!r}"
        )
    lists = [Path(path) for path in pairs] or [path for path in [root / "pairs.csv"] if path.is_file()]
    read, notes = read_pairs(lists) if lists else (None, ())
    linked = [tuple(map(names.find, pair)) for pair in read or ()]
    folders = [(f"{PurePosixPath(name).parent}/", name) for name in files if "/" in name]
    person = groups([*folders, *((one, other) for one, other in linked if one and other)])
    splits, more_notes, absent = listed_splits(root, names)
    return gather(
        Found(
            photos=files,
            names=names,
            poses={name: rows[row] for name, row in row_of.items()},
            unmatched=sorted(rows.keys() - set(row_of.values())),
            absent=absent,
            maps=find_maps(names, maps_in, folder, given=parsing is not None),
            person=lambda name: person.get(name, name),
            splits=splits,
            pairs=read,
            tables=sources,
            lists=lists,
            split_lists=split_lists(root),
            conventions=Conventions(scheme or load_scheme(), frame, estimating=estimating),
            notes=(*notes, *more_notes),
        )
    )


def _find_keypoints(root: Path, may_be_missing: bool) -> list[Path]:
    usual = root / "keypoints.csv"
    if usual.is_file():
        return [usual]
    found = [path for path in sorted(root.glob("*.csv")) if _begins_like_poses(path)]
    if not found and (root / "keypoints").is_dir():
        return [root / "keypoints"]
    if not found and may_be_missing:
        return []
    if len(found) != 1:
        what = "no keypoint CSV" if not found else f"{len(found)} keypoint CSVs"
        raise InputError(f"{root} has {what}; name one with --keypoints, or estimate them: --annotate pose")
    return found


def _begins_like_poses(path: Path) -> bool:
    with path.open("rb") as file:
        return is_pose_csv(file.read(200).decode("utf-8", "replace"))
