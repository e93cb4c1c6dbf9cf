"""Looking into the folders of a data set: photos, parsing maps, lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pgen.data.example import SPLITS, Split
from pgen.data.formats.annotation_files import find_annotations, is_carried_file, name_annotations
from pgen.data.formats.pair_lists import read_names, read_pairs
from pgen.data.names import PhotoNames
from pgen.data.scan import PHOTO_SUFFIXES, FoundFiles, scan_folder
from pgen.errors import InputError

#: Both ways in which the field writes the names of its files, the second as PATN spelt them.
_SPELLINGS = ("fashion", "fasion")


def find_photos(folder: Path, without: Path | None = None) -> FoundFiles:
    """All photos below ``folder``, but not below ``without``, by their path in it with "/", sorted.

    Hidden pictures, and pictures beside photos that are their annotations, are none.
    """
    files = scan_folder(folder, PHOTO_SUFFIXES, without=without)
    found = set(files.values())
    annotated = [path for path in found if any(file in found for file in name_annotations(path).values())]
    annotations = {file for path in annotated for file in find_annotations(path).values()}
    for name in [name for name, path in files.items() if path in annotations]:
        del files[name]
    return files


def no_photos_error(*folders: Path) -> InputError:
    """The error, to be raised, about folders that should have photos."""
    notes = [note for folder in folders if folder.is_dir() for note in find_photos(folder).notes]
    what = f"{' and '.join(map(str, folders))} has no photos ({', '.join(PHOTO_SUFFIXES)})"
    return InputError("; ".join([what, *notes]))


def find_maps(names: PhotoNames, maps_in: Path, photos_in: Path, given: bool) -> dict[str, Path]:
    """The parsing map of each photo that has one: in ``maps_in``, or, if that is no folder, beside the photos.

    There they are .npy files, or called as `name_annotations` says. Raises `InputError` if the user has ``given`` a
    folder that is none, or if two maps or photos are named alike.
    """
    beside = not maps_in.is_dir()
    if given and beside:
        raise InputError(f"{maps_in} is not a folder; give the folder of the parsing maps", option="parsing")
    folder, suffixes = (photos_in, (".npy",)) if beside else (maps_in, (".npy", ".png", ".mat"))
    files: dict[str, Path] = {}
    for file, path in scan_folder(folder, suffixes).items():
        if is_carried_file(path):
            continue
        name = file[: -len(path.suffix)]
        if name in files:
            raise InputError(f"{files[name]} and {path} are both the parsing map of {name}; keep one of them")
        files[name] = path
    found = {photo: find_annotations(photos_in / photo) for photo in names.photos} if beside else {}
    drawn = {photo: its["parsing"] for photo, its in found.items() if "parsing" in its}
    return drawn | {photo: files[name] for photo, name in names.match(files, folder).items()}


@dataclass(frozen=True)
class ListedSplits:
    """What says which photos are for training and testing."""

    splits: dict[str, Split] | None = None  # by photo; None: nothing says it
    files: Sequence[Path] = ()  # that say it
    absent: Sequence[str] = ()  # names in the files that are no photo's
    notes: Sequence[str] = ()


def read_listed_splits(root: Path, names: PhotoNames) -> ListedSplits:
    """What train.lst and test.lst in ``root`` say. Raises `InputError` if a photo is in both."""
    lists = {split: root / f"{split}.lst" for split in SPLITS}
    there = {split: path for split, path in lists.items() if path.is_file()}
    if not there:
        return ListedSplits()
    splits: dict[str, Split] = {}
    absent: dict[str, None] = {}
    for split, path in there.items():
        for name in read_names(path):
            photo = names.find(name)
            if photo is None:
                absent[name] = None
            elif splits.setdefault(photo, split) != split:
                raise InputError(f"{photo} is in {lists['train']} and in {lists['test']}; remove it from one of them")
    if not splits:
        raise InputError(f"{', '.join(map(str, there.values()))}: none of the names is a photo in {names.where}")
    notes = [f"{root} has no {path.name}" for split, path in lists.items() if split not in there]
    return ListedSplits(splits, [*there.values()], [*absent], notes)


def find_spelling(kind: str, ending: str, set_name: str = "fashion") -> list[str]:
    """File names of a ``kind`` ("pairs", "annotation") in the field, such as fasion-resize-pairs-test.csv."""
    names = _SPELLINGS if set_name == "fashion" else (set_name,)
    return [f"{name}{resize}-{kind}-{ending}.csv" for name, resize in product(names, ("-resize", ""))]


def find_first(root: Path, names: Iterable[str]) -> tuple[Path | None, tuple[str, ...]]:
    """The first of the files ``names`` in ``root``, and a note if there are others with other content."""
    there = [root / name for name in names if (root / name).is_file()]
    others = [path.name for path in there[1:] if path.read_bytes() != there[0].read_bytes()]
    if not there:
        return None, ()
    return there[0], ((f"{there[0]} is taken, not {' or '.join(others)}",) if others else ())


@dataclass(frozen=True)
class FoundPairs:
    """The pairs of a data set as its lists have them, (source, target)."""

    test: list[tuple[str, str]] | None  # None: no list of them
    test_lists: Sequence[Path]
    train: Sequence[tuple[str, str]] = ()
    train_lists: Sequence[Path] = ()
    notes: Sequence[str] = ()  # what was assumed


def find_pairs(root: Path, given: Sequence[Path], set_name: str) -> FoundPairs:
    """Pairs for testing from ``given`` files, else from ``root``; those for training, if any, from ``root``.

    In ``root`` under the field's names for the set (see `find_spelling`), as pairs.csv (for testing) or
    SPLIT_pairs.txt. Raises `InputError` naming the file and row.
    """
    test, test_notes = find_first(root, (*find_spelling("pairs", "test", set_name), "pairs.csv", "test_pairs.txt"))
    train, train_notes = find_first(root, (*find_spelling("pairs", "train", set_name), "train_pairs.txt"))
    test_lists = list(given) or ([test] if test else [])
    train_lists = [train] if train else []
    notes = train_notes if given else (*test_notes, *train_notes)
    test_pairs, test_order = read_pairs(test_lists) if test_lists else (None, ())
    train_pairs, train_order = read_pairs(train_lists) if train_lists else ([], ())
    return FoundPairs(test_pairs, test_lists, train_pairs, train_lists, (*notes, *test_order, *train_order))
