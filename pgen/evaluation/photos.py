"""The true photos that results are compared with: a prepared store, or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.data.example import Split
from pgen.data.formats.images import read_image
from pgen.data.formats.pose_people import MIN_CONFIDENCE
from pgen.data.inputs import read_bytes
from pgen.data.names import PhotoNames
from pgen.data.readers.deepfashion import make_photo_key
from pgen.data.readers.frames import check_frame, pose_into_photo
from pgen.data.readers.keypoint_sources import find_poses, load_pose
from pgen.data.readers.tree import find_photos, no_photos_error
from pgen.data.store import Store
from pgen.errors import InputError

_ANY_SIZE = (1000, 1000)  # of photos whose size does not matter
_SAMPLE = 24  # photos whose poses are checked against their frame


@dataclass(frozen=True)
class Photo:
    """A true photo, or a result in its place, and what is known about it, all in its pixels."""

    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    pose: NDArray[np.float32] | None = None  #: (18, 2), NaN = missing
    parsing: NDArray[np.uint8] | None = None  #: (H, W), label ids 0–9; of a result, the map it was painted into
    carried: NDArray[np.uint8] | None = None  #: (H, W), 1 where something is carried, if that is known


@dataclass(frozen=True)
class Pair:
    """One of the pairs to be scored, by the names of its photos."""

    source: str | None  #: None where only the target is known
    target: str
    file: str | None = None  #: name of the result's file, for results in files
    written_source: str = ""  #: the source as the file's name has it


class StorePhotos:
    """The images of a prepared data set, with poses and parsing maps. Can be sent to other processes."""

    has_poses, has_parsing, has_truth = True, True, True

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.where = str(path)
        self.find = _PhotoFinder(self.store.names, self.where)

    def load(self, name: str) -> Photo:
        """The photo called ``name``. Raises `InputError` if there is none, or it cannot be read."""
        one = self.store.example(self.store.find(name))
        return Photo(one.image, one.pose, one.parsing, one.carried)

    def digest(self, name: str) -> str:
        """A hash of everything that `load` gives."""
        one = self.load(name)
        assert one.pose is not None
        assert one.parsing is not None
        known = () if one.carried is None else (one.carried,)
        return _digest(str(one.image.shape).encode(), one.image, one.pose, one.parsing, *known)

    def __reduce__(self) -> tuple[object, ...]:
        return open_once, (StorePhotos, self.store.path)  # not with every piece of work

    def person(self, name: str) -> str | None:
        """Who it is, if that is known."""
        return self.store.persons[self.store.find(name)]

    def pairs(self, split: Split = "test") -> list[tuple[str, str]]:
        """The (source, target) names of a split's pairs. Raises `InputError` if there are none."""
        pairs = self.store.pairs(split)
        if not len(pairs):
            raise InputError(
                f"{self.where} has no pairs for testing; give pairs, or prepare it with some", option="pairs"
            )
        return [(self.store.names[source], self.store.names[target]) for source, target in pairs]

    def split(self, split: Split) -> list[str]:
        """The names of a split's images."""
        return [self.store.names[index] for index in self.store.indices(split)]


@dataclass
class FolderPhotos:
    """The photos below a folder, with poses if there are keypoints for them. Can be sent to other processes."""

    folder: Path
    keypoints: Sequence[Path] = ()
    frame: tuple[int, int] | None = None  #: (height, width) that the keypoints refer to, if not the photo
    min_confidence: float = MIN_CONFIDENCE  #: joints of less are left out
    has_parsing: bool = field(default=False, init=False)
    has_truth: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise InputError(f"{self.folder} is not a folder; give the folder of the true photos", option="targets")
        self.where = str(self.folder)
        self._files = find_photos(self.folder)
        self.notes = self._files.notes  # what of the folder is left aside
        if not self._files:
            raise no_photos_error(self.folder)
        self.find = _PhotoFinder(list(self._files), self.where)
        rows = find_poses(self.keypoints)
        where = " and ".join(map(str, self.keypoints))
        matched = self.find.names.match(rows, where) if rows else {}
        if rows and not matched and self.find.by_letters is not None:
            matched = self.find.by_letters.match(rows, where)
        if rows and not matched:
            raise InputError(f"{where}: no row belongs to a photo in {self.folder}; the first is {next(iter(rows))!r}")
        self._rows = {photo: rows[row] for photo, row in matched.items()}
        self.has_poses = bool(matched)
        chosen = list(self._rows)[:: max(1, len(self._rows) // _SAMPLE)][:_SAMPLE]
        loaded = []
        for name in chosen:
            with suppress(InputError):  # which is told of the pairs that it costs
                loaded.append(self.load(name))
        sizes = [(one.image.shape[0], one.image.shape[1]) for one in loaded]
        check_frame([one.pose for one in loaded if one.pose is not None], sizes, where)

    def names(self) -> list[str]:
        """All photos, as paths in the folder."""
        return list(self._files)

    def load(self, name: str) -> Photo:
        image = read_image(self._file(name))
        return Photo(image, self._pose(name, (image.shape[0], image.shape[1])), None)

    def digest(self, name: str) -> str:
        pose = None
        if name in self._rows:
            found, frame = load_pose(self._rows[name], (1, 1), self.min_confidence)
            pose = (found.pose, np.array(self.frame or frame or (0, 0)))
        return _digest(read_bytes(self._file(name), "an image"), *(pose or ()))

    def __reduce__(self) -> tuple[object, ...]:
        return open_once, (FolderPhotos, self.folder, tuple(self.keypoints), self.frame, self.min_confidence)

    def person(self, name: str) -> str | None:
        return None

    def list_choices(self) -> list[str]:
        """Of each photo whose keypoints are of several people, which of them is taken."""
        found = {}
        for name, row in self._rows.items():
            with suppress(InputError):  # which is told where it is needed
                found[name] = load_pose(row, _ANY_SIZE, self.min_confidence)[0].choice
        return [f"{name}: {choice}" for name, choice in found.items() if choice is not None]

    def _file(self, name: str) -> Path:
        if name not in self._files:
            raise InputError(f"{self.where} has no photo {name}")
        return self._files[name]

    def _pose(self, name: str, size: tuple[int, int]) -> NDArray[np.float32] | None:
        if name not in self._rows:
            return None
        chosen, frame = load_pose(self._rows[name], size, self.min_confidence)
        pose = chosen.pose
        frame = self.frame or frame
        return pose if frame is None else pose_into_photo(pose, frame, size)


Photos = StorePhotos | FolderPhotos


@lru_cache(maxsize=4)
def open_once(kind: type[Photos], *arguments: Any) -> Photos:
    """``kind(*arguments)``, the same each time: how processes get photos."""
    return kind(*arguments)


class _PhotoFinder:
    """Which photo a name in results and lists means, None if none of them.

    By its path or file name, with suffix or without, else by letters and digits alone.
    """

    def __init__(self, photos: Sequence[str], where: str) -> None:
        self.names = PhotoNames(photos, where)
        try:
            self.by_letters: PhotoNames | None = PhotoNames(photos, where, key=make_photo_key)
        except InputError:  # two photos that letters and digits do not tell apart
            self.by_letters = None

    def __call__(self, name: str) -> str | None:
        found = self.names.find(name)
        return self.by_letters.find(name) if found is None and self.by_letters is not None else found


def _digest(*parts: bytes | NDArray[np.generic]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()
