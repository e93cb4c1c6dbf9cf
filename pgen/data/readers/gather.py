"""What a reader has found in a data set's folder, made into a set of photos: splits, people and pairs that fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pgen.data.example import NAME_WITHOUT_PHOTO, PAIR_WITHOUT_PHOTO, ROW_WITHOUT_PHOTO, Drop, Split
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
    dropped. Pairs, listed names and rows of keypoints without a photo are told apart from these. Raises `InputError` if
    no pair for testing is left, or none for training though there are photos for it; or for photos of the other split.
    """
    test_pairs, paired, missing = _match_pairs(pairs.test or (), names)
    train_pairs, train_paired, train_missing = _match_pairs(pairs.train, names)
    if missing and not test_pairs:
        raise _explain_no_pair(missing, pairs.test_lists, names)
    persons = {name: person(name) for name in photos}
    notes = [*notes, *pairs.notes, *listed.notes]
    drops: list[Drop] = []
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
    if train_missing and not train_pairs and "train" in split.values():
        raise _explain_no_pair(train_missing, pairs.train_lists, names)
    mixed = next((name for name in train_paired if split.get(name) == "test"), None)
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
    unlisted = sorted({*poses.unmatched} - {*listed.absent})
    missing += train_missing + [Drop(name, NAME_WITHOUT_PHOTO) for name in listed.absent]
    missing += [Drop(name, ROW_WITHOUT_PHOTO) for name in unlisted]
    return PhotoSet(
        kept, None if pairs.test is None else test_pairs, train_pairs, conventions, where, files,
        tuple(drops), tuple(missing), tuple(notes),
    )  # fmt: skip


def _match_pairs(
    pairs: Sequence[tuple[str, str]], names: PhotoNames
) -> tuple[list[tuple[str, str]], dict[str, None], list[Drop]]:
    """Those of ``pairs`` whose photos are there, the photos that any of them names, and the pairs that lack one."""
    matched: list[tuple[str, str]] = []
    named: dict[str, None] = {}
    missing: list[Drop] = []
    for pair in pairs:
        source, target = map(names.find, pair)
        named |= dict.fromkeys(photo for photo in (source, target) if photo is not None)
        if source is not None and target is not None:
            matched.append((source, target))
        else:
            absent = [name for name, photo in zip(pair, (source, target), strict=True) if photo is None]
            missing.append(Drop(" -> ".join(pair), PAIR_WITHOUT_PHOTO, " and ".join(absent)))
    return matched, named, missing


def _explain_no_pair(missing: Sequence[Drop], lists: Sequence[Path], names: PhotoNames) -> InputError:
    first = missing[0].detail.split(" and ")[0]
    return InputError(
        f"{join_paths(lists)}: of none of {len(missing):,} pairs are both photos in {names.where}; the first lacks "
        f"{first!r}{suggest_names(first, names.photos)}"
    )
