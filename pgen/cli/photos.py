"""Photos of people as the user names them, and which annotations belong to which."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from pgen.cli.options import flag_of
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor

_POSES = "Pose in that photo (default: estimated); of a CSV or store, the row of its name. Once for all, or each."
_MAPS = "Its parsing map (default: estimated), or a folder of maps named as the photos. Once for all, or each."

PoseFiles = Annotated[list[str] | None, Option(help=_POSES, metavar="FILE")]
ParsingFiles = Annotated[list[str] | None, Option(help=_MAPS, metavar="FILE")]
Number = Annotated[int | None, Option(min=0, help="Which person of that photo, 0 being the largest.", metavar="N")]


@dataclass(frozen=True)
class Photo:
    """A photo as the user names it, with the files that belong to it."""

    source: str
    pose: str | None  #: where its pose is; None: to be estimated
    parsing: str | None  #: the same of its parsing map
    crop: bool  #: whether to work on the part around a person who is small in it
    role: str  #: how the options about it begin
    number: int | None  #: which of the people in it

    def read(self, predictor: Predictor) -> Person:
        """The person in the photo. Raises `InputError` about this photo's options if it cannot be read."""
        try:
            return predictor.person(self.source, self.pose, self.parsing, self.crop, self.number)
        except InputError as error:
            if error.option in ("number", "person"):
                error.option = "person" if self.role == "src" else f"{self.role}_number"
            elif error.option in ("pose", "parsing"):
                error.option = f"{self.role}_{error.option}"
            raise


def list_photos(
    sources: Sequence[str],
    poses: Sequence[str] | None,
    parsings: Sequence[str] | None,
    crop: bool,
    number: int | None = None,
    role: str = "src",
) -> list[Photo]:
    """Each of ``sources`` with its own of ``poses`` and ``parsings``, or the only one; the rest is as in `Photo`.

    Raises `InputError` for another number of them, a folder of maps that lacks one, or a file of poses as a photo.
    """
    from pgen.data.formats.keypoints import detect_pose_format
    from pgen.data.inputs import split_spec

    own_poses = _assign_files(poses, sources, f"{role}_pose")
    own_parsings = _assign_files(parsings, sources, f"{role}_parsing")
    photos = []
    for source, pose, parsing in zip(sources, own_poses, own_parsings, strict=True):
        form, (path, _) = None, split_spec(source)
        with suppress(InputError):  # neither pose nor photo: reading it as a photo says what is wrong
            form = detect_pose_format(path)
        if form in ("csv", "json"):  # a target pose, as after ``--pose A B``
            raise InputError(f"{source} holds poses and is no photo; give --pose once for each target")
        parsing = None if parsing is None else _find_parsing_of(source, parsing, f"{role}_parsing")
        photos.append(Photo(source, pose, parsing, crop, role, number))
    return photos


def list_files(photos: Sequence[Photo]) -> list[str | None]:
    """The photos and the files that belong to them, as they are named."""
    return [name for photo in photos for name in (photo.source, photo.pose, photo.parsing)]


def _assign_files(given: Sequence[str] | None, sources: Sequence[str], option: str) -> Sequence[str | None]:
    if not given or len(given) == 1:
        return [given[0] if given else None] * len(sources)
    if len(given) != len(sources):
        raise InputError(
            f"{flag_of(option)} is given {len(given)} times for {len(sources)} photos; give it once, or once for each"
        )
    return given


def _find_parsing_of(source: str, parsing: str, option: str) -> str:
    """``parsing``, or the file or entry in it that is called like the photo."""
    from pgen.data.inputs import split_spec
    from pgen.data.scan import find_spelled
    from pgen.data.store import is_hdf5

    path, entry = split_spec(parsing)
    photo, own = split_spec(source)
    name = Path(own or photo.name)
    if entry is None and is_hdf5(path):
        return f"{path}:{own or name}"
    if entry is not None or not path.is_dir():
        return parsing
    for file in map(find_spelled, (path / f"{name.stem}.npy", path / f"{name.stem}.png")):
        if file is not None:
            return str(file)
    raise InputError(f"{path}: the folder has neither {name.stem}.npy nor {name.stem}.png", option=option)
