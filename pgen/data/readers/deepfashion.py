"""DeepFashion's In-shop Clothes Retrieval photos with the annotations that the field has made for them.

The tree, all of it as it was downloaded (``fashion`` may be spelt ``fasion`` everywhere)::

    img/WOMEN/Tees_Tanks/id_00007838/05_7_additional.jpg   photos: 256x256, white at both sides; or
    img_highres/...                                        750 wide and 1101 high; or
    images/...                                             any of these, nested or flat; or
    train/, test/                                          flat: fashionWOMENTees_Tanksid0000783805_7additional.jpg
    fashion[-resize]-annotation-train.csv, -test.csv       keypoints; or keypoints.csv, or a folder keypoints/
    fashion[-resize]-pairs-test.csv                        pairs for testing; or pairs.csv, or test_pairs.txt
    fashion[-resize]-pairs-train.csv                       pairs for training, if any; or train_pairs.txt
    train.lst, test.lst                                    which photos are for what
    parsing/                                               maps, .npy or .png, nested or flat; or .npy beside the photos

Names are matched by their letters and digits alone, so that nested and flat ones, with and without "_", mean the same
photo. A person is an item in one colour (id_00007838, 05): the photos of it show the same person in the same clothes.

Keypoints are in pixels of one of three frames that show the same height: 256x256 with the white sides, the 256x176
between them, the photo in high resolution. ``-resize-`` files are 256x176; for others the frame follows from where
people stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pgen.data.example import SPLITS, Split
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_people import PosesOfPhoto
from pgen.data.names import PhotoNames, strip_name
from pgen.data.readers.frames import guess_frame, height_by_width
from pgen.data.readers.gather import gather_photos
from pgen.data.readers.given import NOTHING_GIVEN, TAKEN_AS_SPT10, GivenFiles, PathLike, check_root, check_tables
from pgen.data.readers.keypoint_sources import PoseRow, find_poses, join_paths, match_poses
from pgen.data.readers.photo_set import Conventions, PhotoSet
from pgen.data.readers.tree import (
    find_first,
    find_maps,
    find_pairs,
    find_photos,
    find_spelling,
    no_photos_error,
    read_listed_splits,
)
from pgen.errors import InputError

#: Frames of keypoints and maps, (height, width).
FRAMES = ((256, 256), (256, 176), (1101, 750))
RESIZED = (256, 176)

_FOLDERS = ("img", "img_highres", "images")
_LAYOUT = "photos in img/, img_highres/, images/, or train/ and test/"
_LOOKED_AT = 1000  # poses, to find their frame
_ITEM = re.compile(r"id(\d{8})(\d{2})")  # of the photo's key: the item, and which of its colours


def find_deepfashion(
    root: PathLike, given: GivenFiles = NOTHING_GIVEN, size: tuple[int, int] | None = None
) -> PhotoSet:
    """Find what belongs together in ``root``, which is laid out as this module describes, but for what is ``given``.

    Square photos are cut at both sides to the ratio of ``size`` (height, width). Without lists, photos are for
    training or testing as the folder or the annotation file that they are in. Raises `InputError` if something is
    missing, does not fit, or could mean two things.
    """
    root = check_root(root, f"put DeepFashion there ({_LAYOUT}), or name its folder")
    files, folder_of, notes = _list_photos(root, given.images)
    notes += () if given.scheme else (TAKEN_AS_SPT10,)
    names = PhotoNames(files, root, key=make_photo_key)
    tables, more_notes = _find_tables(root) if not given.keypoints else (given.keypoints, ())
    notes += more_notes
    check_tables(tables, given, root, "fashion-annotation-train.csv or -test.csv")
    poses = match_poses(tables, names)
    frame = given.frame
    if frame is None:
        frame, more_notes = _get_frame(poses.rows, tables)
        notes += more_notes
    listed = read_listed_splits(root, names)
    return gather_photos(
        files,
        names,
        poses=poses,
        maps=find_maps(names, given.maps_in(root), root, given=given.parsing is not None),
        person=find_person,
        listed=replace(listed, splits=listed.splits or folder_of or _split_by_table(tables, names)),
        pairs=find_pairs(root, given.pairs, "fashion"),
        conventions=Conventions(
            given.scheme or load_scheme(), frame, FRAMES, size, given.estimating, given.min_confidence
        ),
        notes=notes,
    )


def make_photo_key(name: str) -> str:
    """The letters and digits of ``name`` in lower case, without folder of photos, the word fashion, and suffix."""
    parts = [part for part in strip_name(name.replace("\\", "/")).split("/") if part not in (".", "")]
    while len(parts) > 1 and parts[0] in (*_FOLDERS, *SPLITS):
        parts = parts[1:]
    key = "".join(character for character in "".join(parts).lower() if character.isalnum())
    return re.sub("^fash?ion", "", key)


def find_person(name: str) -> str:
    """Who a photo shows: the item and its colour, such as id_00007838_05; the photo itself if its name has none."""
    item = _ITEM.search(make_photo_key(name))
    return f"id_{item[1]}_{item[2]}" if item else name


def _list_photos(
    root: Path, images: PathLike | None
) -> tuple[dict[str, Path], dict[str, Split] | None, tuple[str, ...]]:
    """The photos, which of them lie in train/ and test/ if they do, and what was not taken."""
    flat = [split for split in SPLITS if (root / split).is_dir()]
    there = [name for name in _FOLDERS if (root / name).is_dir()]
    if images is not None or there:
        folder = root / (there[0] if images is None else images)
        files = find_photos(folder)
        if not files:
            raise no_photos_error(folder)
        others = [f"{name}/" for name in (*there[1:], *flat)] if images is None else []
        taken = (f"photos are taken from {folder}, not {' or '.join(others)}",) if others else ()
        return files, None, (*taken, *files.notes)
    in_splits: dict[str, Path] = {}
    splits: dict[str, Split] = {}
    notes: list[str] = []
    for split in flat:
        found = find_photos(root / split)
        notes += found.notes
        for name, path in found.items():
            if name in in_splits:
                raise InputError(f"{in_splits[name]} and {path} have the same name; remove one of them")
            in_splits[name], splits[name] = path, split
    if not in_splits:
        raise InputError(f"{root} has no {_LAYOUT}; name the folder of the photos", option="images")
    return in_splits, splits, tuple(notes)


def _find_tables(root: Path) -> tuple[Sequence[Path], tuple[str, ...]]:
    """The keypoint files in ``root``, or the folder of them, none if there are none; and what was not taken."""
    firsts = [find_first(root, find_spelling("annotation", split)) for split in SPLITS]
    found = [path for path, _ in firsts if path is not None]
    if len({"-resize-" in path.name for path in found}) > 1:
        raise InputError(f"{found[0]} and {found[1]} refer to different frames; name files of one", option="keypoints")
    notes = tuple(note for _, its in firsts for note in its)
    if not found and (root / "keypoints.csv").is_file():
        return [root / "keypoints.csv"], notes
    return found or [folder for folder in [root / "keypoints"] if folder.is_dir()], notes


def _get_frame(rows: Mapping[str, PoseRow], tables: Sequence[Path]) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    """The frame that keypoints refer to: None where each file says it, or it is the photo's."""
    poses = [row.poses[0] for row in rows.values() if isinstance(row, PosesOfPhoto) and row.frame is None]
    if not poses:
        return None, ()
    if all("-resize-" in path.name for path in tables):
        return RESIZED, ()
    guessed = guess_frame(poses[:: 1 + len(poses) // _LOOKED_AT], FRAMES)
    if guessed is None:
        raise InputError(
            f"{tables[0]}: neither its name nor the poses say which frame they refer to; give it (256x256 with "
            "white sides, 256x176 without, 1101x750 in high resolution)",
            option="frame",
        )
    return guessed, (f"keypoints are taken to refer to {height_by_width(guessed)}, as people stand in its middle",)


def _split_by_table(tables: Sequence[Path], names: PhotoNames) -> dict[str, Split] | None:
    """The split of each photo by the annotation file that has it, photos without keypoints with those for training.

    None if the files are not one for each split.
    """
    ends: dict[Path, Split] = {
        path: split for path in tables for split in SPLITS if path.name.endswith(f"-{split}.csv")
    }
    if set(ends.values()) != set(SPLITS):
        return None
    where = join_paths(tables)
    splits: dict[str, Split] = {}
    for path, split in ends.items():
        for photo in names.match(find_poses([path]), where):
            if splits.setdefault(photo, split) != split:
                raise InputError(f"{photo} is in {where}; remove it from one of them")
    return dict.fromkeys(names.photos, SPLITS[0]) | splits
