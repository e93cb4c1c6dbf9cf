"""What a page may ask of the worker, as data: files and settings, nothing of browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


@dataclass(frozen=True)
class PhotoFiles:
    """A photo of a person, with the files that belong to it."""

    image: Path
    pose: Path | None = None  #: None: estimated
    parsing: Path | None = None  #: None: estimated
    number: int | None = None  #: which of several people; None: the largest
    crop: bool = True  #: work on the part around a person who is small in it

    @property
    def files(self) -> Iterator[Path]:
        """All of them that there are."""
        yield from (file for file in (self.image, self.pose, self.parsing) if file is not None)


@dataclass(frozen=True)
class ReadPhoto:
    """Pose and map of a photo, to be looked at; files that show them are called as ``shown`` and a suffix."""

    photo: PhotoFiles
    shown: Path
    pose_out: Path  #: where an estimated pose is written
    parsing_out: Path  #: and an estimated map

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        return tuple(self.photo.files)


@dataclass(frozen=True)
class ReadTarget:
    """The pose, or poses, of a file that is to be a target."""

    target: str
    frames: int

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        return (find_target_file(self.target),)


@dataclass(frozen=True)
class Generate:
    """The person of a photo in other poses; with more than one, or a motion, also an animation of them."""

    photo: PhotoFiles
    targets: tuple[str, ...]  #: names of bundled poses, files, or ``FILE#N``
    outs: tuple[Path, ...]  #: a picture a target; none for a motion
    shown: Path
    retarget: bool = True
    paste: bool = False
    frames: int = 48  #: so many of a video at most
    gif: Path | None = None
    rendering: Mapping[str, str] = field(default_factory=dict)  #: what is not as usual: head, background, frame_mode

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        named = (find_target_file(target) for target in self.targets if not is_bundled(target))
        return (*self.photo.files, *named)


@dataclass(frozen=True)
class TransferTexture:
    """A person in the clothes of another photo."""

    clothes: PhotoFiles
    person: PhotoFiles
    regions: tuple[str, ...]
    shape: bool
    out: Path
    shown: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        return (*self.clothes.files, *self.person.files)


@dataclass(frozen=True)
class Manipulate:
    """A photo with edits of its map, or with a map painted by hand; without ``out`` only the map is wanted."""

    photo: PhotoFiles
    edits: Mapping[str, str | float]
    shown: Path
    parsing: Path | None = None
    out: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        return (*self.photo.files, *(() if self.parsing is None else (self.parsing,)))


def is_bundled(target: str) -> bool:
    """Whether it is the name of a bundled pose, not a file: those have the whole path."""
    return not Path(target).is_absolute()


def find_target_file(target: str) -> Path:
    """The file of a target, ``FILE`` or ``FILE#N``."""
    path = Path(target)
    return path if path.is_file() else Path(target.rpartition("#")[0] or target)


Request = ReadPhoto | ReadTarget | Generate | TransferTexture | Manipulate


def _take_as_is(error: str) -> str:
    return error


@dataclass(frozen=True)
class Order:
    """A request to the worker, with what comes before and after it."""

    kind: str  #: "read", "target", "preview", "generate", "transfer" or "manipulate"
    request: Request
    finish: Callable[[Answer], None]  #: called with each answer of the worker, which it may add to
    about: Answer = field(default_factory=dict)  #: what the page has to know besides
    #: Called if nothing comes of it, with what is wrong, which it may say in other words; "" if it was cancelled.
    give_up: Callable[[str], str] = _take_as_is
