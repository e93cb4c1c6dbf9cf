"""A data set that is a folder of photos with keypoints, parsing maps and pairs in the field's plain forms."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pgen.data.example import Drop, Example, Job, done
from pgen.data.frames import check_frame, into_photo
from pgen.data.images import read_image
from pgen.data.names import close_matches
from pgen.data.pairs_csv import groups, read_pairs_csv
from pgen.data.parallel import ordered_map
from pgen.data.parsing import read_parsing
from pgen.data.pose_csv import is_pose_csv, read_pose_csv
from pgen.errors import InputError

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_LOOKED_AT = 50  # photos whose size is compared with the poses before the work begins


@dataclass(frozen=True)
class FolderDataset:
    """Photos and the annotations that belong to them; `find_folder` makes it.

    Names are paths within the folder of photos, with "/".
    """

    root: Path
    photos: Mapping[str, Path]
    keypoints: Path
    poses: Mapping[str, NDArray[np.float32]]  # by photo, in pixels of ``frame``
    maps: Mapping[str, Path]  # parsing maps by photo
    pairs: list[tuple[str, str]] | None  # (source, target) photos for testing
    frame: tuple[int, int] | None  # (height, width) that the poses refer to; None: the photo
    unmatched: tuple[str, ...]  # rows of the keypoints that have no photo
    files: tuple[Path, ...]  # what all photos depend on

    def __len__(self) -> int:
        return len(self.photos) + len(self.unmatched)

    def jobs(self) -> Iterator[Job | Drop]:
        """What gives each photo, in the order of the names.

        Photos that are named in pairs are for testing, all others for training. Photos in one folder below
        the folder of photos, and photos that are paired, show the same person.
        """
        tested = {name for pair in self.pairs or () for name in pair}
        folders = ((f"{PurePosixPath(name).parent}/", name) for name in self.photos if "/" in name)
        person = groups([*folders, *(self.pairs or ())])
        for name, path in self.photos.items():
            annotations = (self.poses.get(name), self.maps.get(name), self.frame)
            yield Job(name, _read, (name, path, *annotations, person.get(name, name), name in tested))
        yield from (Drop(name, "row of keypoints without a photo") for name in self.unmatched)

    def examples(self, workers: int = 1) -> Iterator[Example | Drop]:
        """Read every photo of `jobs`, in their order, in ``workers`` processes."""
        yield from ordered_map(done, ((job,) for job in self.jobs()), workers)


def find_folder(
    root: str | os.PathLike[str],
    keypoints: str | os.PathLike[str] | None = None,
    parsing: str | os.PathLike[str] | None = None,
    pairs: str | os.PathLike[str] | None = None,
    frame: tuple[int, int] | None = None,
) -> FolderDataset:
    """Find what belongs together in ``root``, and check that it does.

    Photos lie in ``root/images``, or in ``root`` itself. ``keypoints`` is a CSV file: without it,
    ``root/keypoints.csv`` or the only such file in ``root``. ``parsing`` is a folder of maps (.npy or .png)
    named like the photos: without it, ``root/parsing``, or .npy files beside the photos. ``pairs`` is a CSV
    file: without it, ``root/pairs.csv`` if there is one. ``frame`` (height, width) is what the keypoints
    refer to, if not the photos. Raises `InputError` if something is missing or does not fit.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"--root {root} is not a folder; give the folder of the data set")
    table = Path(keypoints) if keypoints is not None else _find_keypoints(root)
    images = root / "images" if (root / "images").is_dir() else root
    maps_in = Path(parsing) if parsing is not None else root / "parsing"
    if parsing is not None and not maps_in.is_dir():
        raise InputError(f"--parsing {maps_in} is not a folder; give the folder of the parsing maps")
    beside = not maps_in.is_dir()
    photos = _photos(images, None if beside else maps_in)
    if not photos:
        raise InputError(f"{images} has no photos ({', '.join(sorted(_PHOTOS))})")
    rows = read_pose_csv(table)
    row_of = _match(photos, rows)
    paired_in = _pairs_file(root, pairs)
    found = FolderDataset(
        root=root,
        photos=photos,
        keypoints=table,
        poses={name: rows[row] for name, row in row_of.items()},
        maps=_maps(photos, images if beside else maps_in, {".npy"} if beside else {".npy", ".png"}),
        pairs=None if paired_in is None else _read_pairs(paired_in, root, photos),
        frame=frame,
        unmatched=tuple(sorted(rows.keys() - set(row_of.values()))),
        files=(table,) if paired_in is None else (table, paired_in),
    )
    if not found.poses:
        raise InputError(
            f"{table} has no row for any photo in {images}: its first row is {next(iter(rows), '(none)')!r}, "
            f"the first photo {next(iter(photos))!r}"
        )
    _check_frames(found)
    return found


def _read(
    name: str,
    photo: Path,
    pose: NDArray[np.float32] | None,
    parsing: Path | None,
    frame: tuple[int, int] | None,
    person: str,
    tested: bool,
) -> Example | Drop:
    if pose is None:
        return Drop(name, "no row in the keypoints")
    if parsing is None:
        return Drop(name, "no parsing map")
    try:
        image = read_image(photo)
    except InputError as error:
        return Drop(name, "photo cannot be read", str(error))
    try:
        ids = read_parsing(parsing)
    except InputError as error:
        return Drop(name, "parsing map cannot be used", str(error))
    size = (image.shape[0], image.shape[1])
    if ids.shape != size:
        return Drop(name, "parsing map of another size", f"{parsing} is {_by(ids.shape)}, the photo {_by(size)}")
    pose = pose if frame is None else into_photo(pose, frame, size)
    return Example(name, image, ids, pose, person, "test" if tested else "train")


def _photos(images: Path, maps_in: Path | None) -> dict[str, Path]:
    found = {
        path.relative_to(images).as_posix(): path
        for path in images.rglob("*")
        if path.suffix.lower() in _PHOTOS and path.is_file() and (maps_in is None or maps_in not in path.parents)
    }
    return dict(sorted(found.items()))


def _find_keypoints(root: Path) -> Path:
    usual = root / "keypoints.csv"
    if usual.is_file():
        return usual
    found = [path for path in sorted(root.glob("*.csv")) if _begins_like_poses(path)]
    if len(found) != 1:
        what = "no keypoint CSV" if not found else f"{len(found)} keypoint CSVs"
        raise InputError(f"{root} has {what}; name one with --keypoints")
    return found[0]


def _begins_like_poses(path: Path) -> bool:
    with path.open("rb") as file:
        return is_pose_csv(file.read(200).decode("utf-8", "replace"))


def _match(photos: Mapping[str, Path], rows: Mapping[str, object]) -> dict[str, str]:
    """The row of each photo that has one: the row of its name, else the only one of the same file name."""
    matched = {name: name for name in photos if name in rows}
    of_file = _unique_files(rows)
    for file, name in _unique_files(photos).items():
        if name not in matched and file in of_file:
            matched[name] = of_file[file]
    return matched


def _unique_files(names: Mapping[str, object]) -> dict[str, str]:
    """Names by the part after the last slash, where that is the only one."""
    counts = Counter(PurePosixPath(name).name for name in names)
    return {file: name for name in names if counts[file := PurePosixPath(name).name] == 1}


def _maps(photos: Mapping[str, Path], folder: Path, suffixes: set[str]) -> dict[str, Path]:
    files = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes
    }
    found = {}
    for name in photos:
        path = PurePosixPath(name)
        keys = (path.with_suffix("").as_posix(), name, path.stem, path.name)  # a/b, a/b.jpg, b, b.jpg
        key = next((key for key in keys if key in files), None)
        if key is not None:
            found[name] = files[key]
    return found


def _pairs_file(root: Path, given: str | os.PathLike[str] | None) -> Path | None:
    if given is not None:
        return Path(given)
    usual = root / "pairs.csv"
    return usual if usual.is_file() else None


def _read_pairs(path: Path, root: Path, photos: Mapping[str, Path]) -> list[tuple[str, str]]:
    files = _unique_files(photos)

    def photo(name: str) -> str:
        if name in photos:
            return name
        if name in files:
            return files[name]
        raise InputError(f"{path} names {name!r}, which is no photo in {root}{close_matches(name, photos)}")

    return [(photo(source), photo(target)) for source, target in read_pairs_csv(path)]


def _check_frames(found: FolderDataset) -> None:
    names = list(found.poses)
    poses, sizes = [], []
    for name in names[:: -(-len(names) // _LOOKED_AT)]:
        try:
            height, width, _ = read_image(found.photos[name]).shape
        except InputError:
            continue  # counted when it is read for good
        poses.append(found.poses[name])
        sizes.append((height, width))
    check_frame(poses, sizes, str(found.keypoints), found.frame)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
