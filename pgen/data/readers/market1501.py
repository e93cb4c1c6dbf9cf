"""Market-1501 with the annotations that the field has made for it.

The tree, all of it as it was downloaded::

    ROOT/bounding_box_train/0002_c1s1_000451_03.jpg   for training, 64 wide and 128 high; or ROOT/train/
    ROOT/bounding_box_test/                           for testing; or ROOT/test/
    ROOT/query/                                       for testing as well, if there are keypoints for them
    ROOT/market-annotation-train.csv, -test.csv       keypoints
    ROOT/market-pairs-test.csv or ROOT/test_pairs.txt pairs for testing; likewise -train.csv, train_pairs.txt
    ROOT/parsing/                                     maps, .npy or .png

The person's number stands before the first "_"; -1 and 0000 are no people and are skipped.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from pgen.data.example import SPLITS, Split
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.names import PhotoNames
from pgen.data.readers.gather import gather_photos
from pgen.data.readers.given import NOTHING_GIVEN, TAKEN_AS_SPT10, GivenFiles, PathLike, check_root, check_tables
from pgen.data.readers.keypoint_sources import match_poses
from pgen.data.readers.photo_set import Conventions, PhotoSet
from pgen.data.readers.tree import ListedSplits, find_maps, find_pairs, find_photos, find_spelling, no_photos_error
from pgen.data.scan import FoundFiles
from pgen.errors import InputError

SIZE = (128, 64)
JUNK = ("-1", "0000")

#: Folders of photos by what they are for; of the first two names of each, one is there.
_FOLDERS: tuple[tuple[Split, tuple[str, ...]], ...] = (
    ("train", ("bounding_box_train", "train")),
    ("test", ("bounding_box_test", "test")),
    ("test", ("query",)),
)
_QUERY = "query"


def find_market1501(root: PathLike, given: GivenFiles = NOTHING_GIVEN, size: tuple[int, int] | None = None) -> PhotoSet:
    """Find what belongs together in ``root``, which is laid out as this module describes, but for what is ``given``.

    Photos are always those of the layout, whatever ``given.images`` says, and kept whole whatever ``size`` they are
    stored at. Raises `InputError` if something is missing or does not fit.
    """
    root = check_root(root, "put Market-1501 there, or name its folder")
    files, splits, notes = _list_photos(root)
    tables = given.keypoints or _find_tables(root)
    check_tables(tables, given, root, "market-annotation-train.csv or -test.csv")
    poses = match_poses(tables, PhotoNames(files, root))
    poses = replace(poses, unmatched=[name for name in poses.unmatched if find_person(name) not in JUNK])
    queries = [name for name in files if files[name].parent.name == _QUERY]
    if queries and not given.estimates_poses and not any(name in poses.by_photo for name in queries):
        notes += (f"{len(queries):,} photos in {root / _QUERY} have no keypoints and are left aside",)
        for name in queries:
            del files[name], splits[name]
    names = PhotoNames(files, root)
    return gather_photos(
        files,
        names,
        poses=poses,
        maps=find_maps(names, given.maps_in(root), root, given=given.parsing is not None),
        person=find_person,
        listed=ListedSplits(splits),
        pairs=find_pairs(root, given.pairs, "market"),
        conventions=Conventions(
            given.scheme or load_scheme(),
            given.frame,
            estimating=given.estimating,
            min_confidence=given.min_confidence,
        ),
        notes=notes if given.scheme else (TAKEN_AS_SPT10, *notes),
    )


def find_person(name: str) -> str:
    """The person's number in the name of a photo: what stands before the first "_"."""
    return PurePosixPath(name).name.split("_", 1)[0]


def _list_photos(root: Path) -> tuple[dict[str, Path], dict[str, Split], tuple[str, ...]]:
    """The photos by file name, what each is for, and a note of how many were skipped, if any were."""
    files: dict[str, Path] = {}
    splits: dict[str, Split] = {}
    notes: list[str] = []
    junk = 0
    for split, folders in _FOLDERS:
        there = [root / folder for folder in folders if (root / folder).is_dir()]
        if len(there) > 1:
            raise InputError(f"{there[0]} and {there[1]} are the same part of Market-1501; move one of them away")
        found = find_photos(there[0]) if there else FoundFiles()
        notes += found.notes
        for path in found.values():
            if find_person(path.name) in JUNK:
                junk += 1
                continue
            if path.name in files:
                raise InputError(f"{files[path.name]} and {path} have the same name; remove one of them")
            files[path.name], splits[path.name] = path, split
    if not files:
        raise no_photos_error(root / "bounding_box_train", root / "bounding_box_test")
    if junk:
        notes.append(f"{junk:,} photos of nobody (numbers {' and '.join(JUNK)}) are skipped")
    return files, splits, tuple(notes)


def _find_tables(root: Path) -> list[Path]:
    """The keypoint files in ``root``, or the folder of them; none if there are none."""
    found = [root / name for split in SPLITS for name in find_spelling("annotation", split, "market")]
    found = [path for path in found if path.is_file()]
    return found or [path for path in [root / "keypoints"] if path.is_dir()]
