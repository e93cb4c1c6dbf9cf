"""What a reader has found in a data set's folder, made into a set of photos: splits, people and pairs that fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pgen.data.example import Drop, Split
from pgen.data.formats.annotation_files import find_carried_file
from pgen.data.names import PhotoNames, suggest_names
from pgen.data.readers.keypoint_sources import MatchedPoses, join_paths
from pgen.data.readers.photo_set import Conventions, Photo, PhotoSet
from pgen.data.readers.tree import FoundPairs, ListedSplits
from pgen.errors import InputError


def gather_photos(
    photos: Mapping[str, Path],
    names: PhotoNames,
    *,
    poses: MatchedPoses,
    maps: Mapping[str, Path],
    person: Callable[[str], str],
    listed: ListedSplits,
    pairs: FoundPairs,
    conventions: Conventions,
    notes: Sequence[str] = (),
) -> PhotoSet:
    """The ``photos`` with what belongs to each, in the order of their ``names``; ``person`` says who one shows.

    Where nothing says which photos are for testing, all photos of the people in ``pairs`` are. Where something does,
    photos that it leaves out are set aside, and photos for training whose person is also among those for testing are
    dropped. Raises `InputError` if pairs name unknown photos, or photos of the other split.
    """
    test_pairs = None if pairs.test is None else [_find_pair(pair, names, pairs.test_lists) for pair in pairs.test]
    train_pairs = [_find_pair(pair, names, pairs.train_lists) for pair in pairs.train]
    paired = {name for pair in test_pairs or () for name in pair}
    persons = {name: person(name) for name in photos}
    notes = [*notes, *pairs.notes, *listed.notes]
    drops = [Drop(name, "listed, but there is no photo") for name in listed.absent]
    absent = set(listed.absent)
    drops += [Drop(name, "row of keypoints without a photo") for name in poses.unmatched if name not in absent]
    split: dict[str, Split]
    if listed.splits is None:
        tested = {persons[name] for name in paired}
        split = {name: "test" if persons[name] in tested else "train" for name in photos}
    else:
        split = dict(listed.splits)
        trained = sorted(name for name in paired if split.get(name, "test") == "train")
        if trained:
            raise InputError(
                f"{join_paths(pairs.test_lists)} pairs {trained[0]} for testing, a photo for training; give the pairs "
                "for testing"
            )
        split |= dict.fromkeys(paired, "test")
        aside = len(photos) - len(split)
        if aside:
            notes.append(f"{aside:,} photos that are neither for training nor for testing are left aside")
        tested = {persons[name] for name, its in split.items() if its == "test"}
        both = [name for name in photos if split.get(name) == "train" and persons[name] in tested]
        drops += [Drop(name, "person also among those for testing", persons[name]) for name in both]
        for name in both:
            del split[name]
    mixed = next((name for pair in train_pairs for name in pair if split.get(name) == "test"), None)
    if mixed is not None:
        raise InputError(
            f"{join_paths(pairs.train_lists)} pairs {mixed} for training, a photo for testing; was it meant for "
            "testing?"
        )
    carried = {name: find_carried_file(file) for name, file in maps.items()}
    kept = [
        Photo(name, path, poses.by_photo.get(name), maps.get(name), persons[name], split[name], carried.get(name))
        for name, path in sorted(photos.items())
        if name in split
    ]
    sources = (*poses.sources, *pairs.test_lists, *pairs.train_lists, *listed.files)
    files = tuple(path for path in sources if path.is_file())
    where = join_paths(poses.sources)
    return PhotoSet(kept, test_pairs, train_pairs, conventions, where, files, tuple(drops), tuple(notes))


def _find_pair(pair: tuple[str, str], names: PhotoNames, lists: Sequence[Path]) -> tuple[str, str]:
    source, target = map(names.find, pair)
    if source is None or target is None:
        name = pair[0] if source is None else pair[1]
        close = suggest_names(name, names.photos)
        raise InputError(f"{join_paths(lists)} names {name!r}, which is no photo in {names.where}{close}")
    return source, target
