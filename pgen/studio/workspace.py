"""What belongs to one tab of a browser: its folder, and what is in it, by the names under which a page may ask for it.

A page never names a path. It names an entry here, and what is no entry is not there.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pgen.data.formats.annotation_files import find_carried_file, name_carried_file
from pgen.data.formats.parsing import read_parsing, write_parsing
from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import InputError
from pgen.studio.painting import ParsingMap, paint_labels
from pgen.studio.requests import PhotoFiles

#: Bytes of one upload, and of all that one tab has.
MOST_BYTES, MOST_BYTES_TOGETHER = 128 * 2**20, 1024 * 2**20
_LONGEST_NAME, _SHORTEST_NAME = 60, 20


@dataclass
class Photo:
    """A photo in a tab, as it is to be read now."""

    files: PhotoFiles
    written: set[Path] = field(default_factory=set)  #: all that there ever was of it
    estimated: dict[str, Path] = field(default_factory=dict)  #: pose and map, where they were not given
    size: tuple[int, int] | None = None  #: (height, width), once it was read


class Workspace:
    """The files of one tab.

    Attributes:
        folder: where they all are.
        photos, targets: those that can be worked with, by id.
        commands: of each result, what makes the same.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.photos: dict[str, Photo] = {}
        self.targets: dict[str, str] = {}
        self.commands: dict[str, str] = {}
        self._names: dict[str, Path] = {}
        self._kept: set[Path] = set()
        self._removed: set[str] = set()
        self._numbers = 0

    def number(self, kind: str) -> str:
        """A new id."""
        self._numbers += 1
        return f"{kind}{self._numbers}"

    def add_photo(self, photo: Photo) -> str:
        """Take a photo in; returns its id."""
        id_ = self.number("photo")
        self.photos[id_] = photo
        return id_

    def reserve(self, name: str, ending: str = "") -> Path:
        """A file to write to, called ``name``, made safe, with a number if another is or was called so.

        With an ``ending`` of the name, before the suffix; what is too long is cut off before it.
        """
        path = Path(name.replace("\\", "/"))
        stem = re.sub(r"[^\w-]+", "_", path.stem).strip("_-")
        stem = (stem[: max(_SHORTEST_NAME, _LONGEST_NAME - len(ending))] or "file") + ending
        suffix = re.sub(r"[^a-z0-9.]", "", path.suffix.lower())
        number, free = 1, f"{stem}{suffix}"
        taken = {known.lower() for known in self._names.keys() | self._removed}
        while free.lower() in taken:
            number += 1
            free = f"{stem}-{number}{suffix}"
        self._names[free] = self.folder / free
        return self._names[free]

    def write(self, name: str, data: bytes, ending: str = "") -> Path:
        """Write a file that was uploaded, called as `reserve` calls it. Raises `InputError` as `check_room` does."""
        self.check_room(len(data))
        path = self.reserve(name, ending)
        path.write_bytes(data)
        return path

    def publish(self, names: Iterable[str]) -> None:
        """Let the page ask for files that were written to the folder under ``names``."""
        self._names |= {name: self.folder / name for name in names}

    def find(self, name: str) -> Path:
        """The file of that name. Raises `InputError` if the tab has none."""
        path = self._names.get(name)
        if path is None or not path.is_file():
            raise InputError(f"there is no file {name!r} in this tab; it may have been removed")
        return path

    def photo(self, id_: str) -> Photo:
        """Raises `InputError` if there is no photo of that id."""
        if id_ not in self.photos:
            raise InputError("this photo is not here any more; open it again")
        return self.photos[id_]

    def check_room(self, count: int) -> None:
        """Raises `InputError` if ``count`` more bytes are too many."""
        used = sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())
        if used + count > MOST_BYTES_TOGETHER:
            raise InputError(
                f"this tab has {used / 2**20:.0f} MB of files, {MOST_BYTES_TOGETHER / 2**20:.0f} MB at most; remove "
                "results, or open a new tab"
            )

    def copy_example(self, example: PhotoFiles) -> Photo:
        """A photo of the tab that is a copy of ``example``."""
        image, pose, parsing = (self.reserve(file.name) for file in example.files)
        for source, copy in zip(example.files, (image, pose, parsing), strict=True):
            shutil.copyfile(source, copy)
        return Photo(PhotoFiles(image, pose, parsing), {image, pose, parsing})

    def write_pose(self, photo: Photo, pose: np.ndarray) -> None:
        """Give the photo another pose, (18, 2); its map stays, as a file from now on."""
        path = self.reserve(f"{photo.files.image.stem}.json")
        write_pose_json(path, pose, photo.size)
        photo.written.add(path)
        photo.files = replace(self.freeze(photo), pose=path)

    def write_painted(self, photo: Photo, painted: ParsingMap, ending: str) -> Path:
        """The photo's map with what was ``painted`` in its reduced copy, in a new file of that ``ending``."""
        files = self.freeze(photo)
        if files.parsing is None:
            raise InputError("this photo has not been read yet; wait for its map", option="parsing")
        path = self.reserve(f"{files.image.stem}.png", ending)
        write_parsing(path, paint_labels(read_parsing(files.parsing), painted))
        photo.written.add(path)
        carried = find_carried_file(files.parsing)
        if carried is not None:
            copy = name_carried_file(path)
            shutil.copyfile(carried, copy)
            self.publish([copy.name])
            photo.written.add(copy)
        return path

    def freeze(self, photo: Photo) -> PhotoFiles:
        """The photo with what was estimated as its files."""
        files = photo.files
        return replace(
            files,
            pose=files.pose or photo.estimated.get("pose"),
            parsing=files.parsing or photo.estimated.get("parsing"),
        )

    def keep(self, files: Iterable[Path]) -> None:
        """Note files that results were made from."""
        self._kept.update(file for file in files if file.parent == self.folder)

    def remove(self, names: Iterable[str]) -> None:
        """Delete files of results, for good: see `was_removed`."""
        for name in names:
            self._removed.add(name)
            self.commands.pop(name, None)
            path = self._names.pop(name, None)
            if path is not None and path not in self._kept:
                path.unlink(missing_ok=True)

    def was_removed(self, name: str | None) -> bool:
        """Whether a result of that name was removed, maybe while the job that it is of goes on."""
        return name in self._removed

    def discard(self, files: Iterable[Path]) -> None:
        """Delete files from which no result was made. Their names stay taken: the worker remembers what it read."""
        carried = {name_carried_file(file) for file in self._kept}
        for file in set(files) - self._kept - carried:
            file.unlink(missing_ok=True)

    def close_photo(self, id_: str, in_use: Iterable[Path] = ()) -> None:
        """Forget a photo and delete its files, but for those ``in_use``."""
        photo = self.photos.pop(id_, None)
        if photo is not None:
            used = set(in_use)
            self.discard(photo.written - used - {name_carried_file(file) for file in used})

    def pack(self, into: Path) -> None:
        """Write a ZIP of all results, what they were made from, and the commands that make them."""
        kept = {carried for file in self._kept if (carried := find_carried_file(file)) is not None} | self._kept
        results = {self._names[name] for name in self.commands if name in self._names}
        sheets = {sheet for file in results if (sheet := file.with_name(f"{file.stem}_sheet.png")).is_file()}
        with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(kept | results | sheets):
                if file.is_file():
                    archive.write(file, file.name)
            archive.writestr("commands.sh", "".join(f"{command}\n" for command in self.commands.values()))
