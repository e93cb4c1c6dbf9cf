"""A data set that is a folder of photos with keypoints, parsing maps and pairs in any of the field's forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from pgen.data.formats.annotation_files import find_annotations
from pgen.data.formats.pair_lists import group_linked, read_pairs
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_text import is_pose_csv
from pgen.data.inputs import read_start
from pgen.data.names import PhotoNames
from pgen.data.readers.gather import gather_photos
from pgen.data.readers.given import NOTHING_GIVEN, GivenFiles, PathLike, check_root
from pgen.data.readers.keypoint_sources import MatchedPoses, join_paths, match_poses
from pgen.data.readers.people import choose_tested, find_people
from pgen.data.readers.photo_set import Conventions, PhotoSet
from pgen.data.readers.tree import FoundPairs, find_maps, find_photos, no_photos_error, read_listed_splits
from pgen.data.scan import scan_folder
from pgen.errors import InputError


def find_folder(
    root: PathLike,
    given: GivenFiles = NOTHING_GIVEN,
    size: tuple[int, int] | None = None,
    people: PathLike | None = None,
    test_share: float | None = None,
    seed: int = 0,
) -> PhotoSet:
    """Find what belongs together in ``root``, but for what is ``given``.

    Photos lie in ``root/images``, or in ``root`` itself. Keypoints are in ``root/keypoints.csv``, or the only keypoint
    CSV in ``root``, or the folder ``root/keypoints``, or JSON beside the photos, and refer to the photos. Parsing maps
    (.npy, .png or .mat), named like the photos, are in ``root/parsing``, or beside the photos, .npy or as
    `name_annotations` says. Pairs are in ``root/pairs.csv``, if there is one. ``root/train.lst`` and ``root/test.lst``,
    if they are there, say which photos are for what. Where the photos lie in several folders, those in one of them show
    the same person, and so do photos that are paired; they are kept whole whatever ``size`` they are stored at. Raises
    `InputError` if something is missing or does not fit.

    ``people`` say who is who instead (`find_people`), and ``test_share`` of how many of them, chosen by ``seed``, the
    photos are for testing, where nothing else says it.
    """
    root = check_root(root, "give the folder of the data set")
    usual = root / "images" if (root / "images").is_dir() else root
    folder = usual if given.images is None else root / given.images
    maps_in = given.maps_in(root)
    files = find_photos(folder, without=maps_in)
    annotations = {name: find_annotations(file) for name, file in files.items()}
    beside = {name: its["pose"] for name, its in annotations.items() if "pose" in its}
    sources = given.keypoints or _find_keypoints(root, may_be_missing=given.estimates_poses or bool(beside))
    if not files:
        raise no_photos_error(folder)
    names = PhotoNames(files, folder)
    lists = given.pairs or [path for path in [root / "pairs.csv"] if path.is_file()]
    read, notes = read_pairs(lists) if lists else (None, ())
    who, assumed = _link_people(files, names, read or ()) if people is None else find_people(people, names)
    listed = read_listed_splits(root, names)
    if test_share is not None:
        if listed.splits is not None or lists:
            what = f"{join_paths([*listed.files, *lists])} says which photos are for testing"
            raise InputError(f"{what}; leave the share out", option="test_share")
        listed = choose_tested(who, test_share, seed)
    return gather_photos(
        files,
        names,
        poses=match_poses(sources, names) if sources else MatchedPoses([folder] if beside else [], beside, beside, []),
        maps=find_maps(names, maps_in, folder, given=given.parsing is not None),
        person=who.__getitem__,
        listed=listed,
        pairs=FoundPairs(read, lists, notes=notes),
        conventions=Conventions(
            given.scheme or load_scheme(),
            given.frame,
            estimating=given.estimating,
            min_confidence=given.min_confidence,
        ),
        notes=[*files.notes, *assumed],
    )


def _link_people(
    photos: Iterable[str], names: PhotoNames, pairs: Sequence[tuple[str, str]]
) -> tuple[dict[str, str], Sequence[str]]:
    """Who each of ``photos`` shows: one person in each of several folders, and in a pair; and notes on it."""
    folders = {name: f"{PurePosixPath(name).parent}/" for name in photos}
    linked = [tuple(map(names.find, pair)) for pair in pairs]
    links = [(one, other) for one, other in linked if one and other]
    notes = []
    if len(set(folders.values())) > 1:
        links += [(folder, name) for name, folder in folders.items() if "/" in name]
    elif len(folders) > 1 and (only := next(iter(folders.values()))) != "./" and not links:
        notes.append(f"the photos are all in {only}, and are taken for one of each person; say who is who otherwise")
    person = group_linked(links)
    return {name: person.get(name, name) for name in photos}, notes


def _find_keypoints(root: Path, may_be_missing: bool) -> list[Path]:
    """The only file or folder of keypoints in ``root``. Raises `InputError` if there are several, or none."""
    usual = root / "keypoints.csv"
    if usual.is_file():
        return [usual]
    tables = [*scan_folder(root, (".csv",), deep=False).values()]
    found = [path for path in tables if is_pose_csv(read_start(path, 200).decode("utf-8", "replace"))]
    if not found and (root / "keypoints").is_dir():
        return [root / "keypoints"]
    if len(found) > 1:
        raise InputError(f"{root} has {len(found)} keypoint CSVs; name one of them", option="keypoints")
    if not found and not may_be_missing:
        raise InputError(f"{root} has no keypoint CSV; name one, or estimate the keypoints", option="keypoints")
    return found
