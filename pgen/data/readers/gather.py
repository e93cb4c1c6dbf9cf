"""What a reader has found in a data set's folder, made into a set of photos: splits, people and pairs that fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgen.data.example import Drop, Split
from pgen.data.names import PhotoNames, suggest_names
from pgen.data.readers.keypoint_sources import MatchedPoses
from pgen.data.readers.photo_set import Conventions, Photo, PhotoSet
from pgen.data.readers.tree import FoundPairs
from pgen.errors import InputError


@dataclass(frozen=True)
class FoundDataset:
    """What lies in a data set's folder, by photo; `gather_photos` makes a `PhotoSet` of it."""

    photos: Mapping[str, Path]
    names: PhotoNames
    poses: MatchedPoses
    maps: Mapping[str, Path]  # parsing maps
    person: Callable[[str], str]  # who a photo shows, by its name
    splits: Mapping[str, Split] | None  # None: no file or folder says it
    pairs: FoundPairs
    conventions: Conventions
    split_lists: Sequence[Path] = ()  # files that ``splits`` come from
    absent: Sequence[str] = ()  # names in these files that are no photo's
    notes: tuple[str, ...] = ()


def gather_photos(found: FoundDataset) -> PhotoSet:
    """The photos with what belongs to them, in the order of their names.

    Where nothing says which photos are for testing, all photos of the people in ``pairs`` are. Where something does,
    photos that it leaves out are set aside, and photos for training whose person is also among those for testing are
    dropped. Raises `InputError` if pairs name unknown photos, or photos of the other split.
    """
    lists = found.pairs
    pairs = None if lists.test is None else [_find_pair(pair, found, lists.test_lists) for pair in lists.test]
    train_pairs = [_find_pair(pair, found, lists.train_lists) for pair in lists.train]
    paired = {name for pair in pairs or () for name in pair}
    person = {name: found.person(name) for name in found.photos}
    notes = list(found.notes)
    drops = [Drop(name, "listed, but there is no photo") for name in found.absent]
    absent = set(found.absent)
    drops += [Drop(name, "row of keypoints without a photo") for name in found.poses.unmatched if name not in absent]
    split: dict[str, Split]
    if found.splits is None:
        tested = {person[name] for name in paired}
        split = {name: "test" if person[name] in tested else "train" for name in found.photos}
    else:
        split = dict(found.splits)
        trained = sorted(name for name in paired if split.get(name, "test") == "train")
        if trained:
            raise InputError(
                f"{_join(lists.test_lists)} pairs {trained[0]} for testing, a photo for training; give the pairs for "
                "testing"
            )
        split |= dict.fromkeys(paired, "test")
        aside = len(found.photos) - len(split)
        if aside:
            notes.append(f"{aside:,} photos that are neither for training nor for testing are left aside")
        tested = {person[name] for name, its in split.items() if its == "test"}
        both = [name for name in found.photos if split.get(name) == "train" and person[name] in tested]
        drops += [Drop(name, "person also among those for testing", person[name]) for name in both]
        for name in both:
            del split[name]
    mixed = next((name for pair in train_pairs for name in pair if split.get(name) == "test"), None)
    if mixed is not None:
        raise InputError(
            f"{_join(lists.train_lists)} pairs {mixed} for training, a photo for testing; was it meant for testing?"
        )
    photos = [
        Photo(name, found.photos[name], found.poses.by_photo.get(name), found.maps.get(name), person[name], split[name])
        for name in sorted(found.photos)
        if name in split
    ]
    sources = (*found.poses.sources, *lists.test_lists, *lists.train_lists, *found.split_lists)
    files = tuple(path for path in sources if path.is_file())
    return PhotoSet(photos, pairs, train_pairs, found.conventions, found.poses.where, files, tuple(drops), tuple(notes))


def _join(paths: Sequence[Path]) -> str:
    return " and ".join(map(str, paths))


def _find_pair(pair: tuple[str, str], found: FoundDataset, lists: Sequence[Path]) -> tuple[str, str]:
    source, target = (found.names.find(name) for name in pair)
    if source is None or target is None:
        name = pair[0] if source is None else pair[1]
        raise InputError(
            f"{_join(lists)} names {name!r}, which is no photo in {found.names.where}"
            f"{suggest_names(name, found.photos)}"
        )
    return source, target
