"""Photos of people as the user names them, and which annotations belong to which."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgen.cli.options import flag_of, parse_size
from pgen.cli.photo_files import assign_files, find_parsing_of
from pgen.data.inputs import split_spec
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.data.annotators.choose import Annotators
    from pgen.inference.inputs import AnnotatedPhoto
    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor


@dataclass(frozen=True)
class Photo:
    """A photo as the user names it, with the files that belong to it."""

    source: str
    pose: str | None  #: where its pose is; None: to be estimated
    parsing: str | None  #: the same of its parsing map
    crop: bool  #: whether to work on the part around a person who is small in it
    role: str  #: how the options about it begin
    number: int | None  #: which of the people in it
    frame: tuple[int, int] | None = None  #: (height, width) that the given pose refers to; None: the photo's own
    scheme: str | None = None  #: labels of the given map

    @property
    def name(self) -> str:
        """What it is called: the file's name, or the entry's."""
        path, entry = split_spec(self.source)
        return entry or path.name

    def read(self, predictor: Predictor) -> Person:
        """The person in the photo. Raises `InputError` about this photo's options if it cannot be read."""
        try:
            given = (self.source, self.pose, self.parsing, self.crop, self.number, self.frame, self._own_scheme)
            return predictor.person(*given)
        except InputError as error:
            self.name_option(error)
            raise

    @property
    def _own_scheme(self) -> str | None:
        return self.scheme if self.parsing is not None else None

    def annotate(self, annotators: Annotators, with_map: bool) -> AnnotatedPhoto:
        """The photo with its annotations as they are, the map if it is wanted. Raises `InputError` as `read` does."""
        from pgen.inference.inputs import annotate_photo

        try:
            given = (self.source, self.pose, self.parsing, annotators, self.number, self.frame, self._own_scheme)
            return annotate_photo(*given, with_map=with_map)
        except InputError as error:
            self.name_option(error)
            raise

    def name_option(self, error: InputError) -> None:
        """Have ``error`` name the option that is about this photo."""
        if error.option in ("number", "person"):
            error.option = "person" if self.role == "src" else f"{self.role}_number"
        elif error.option in ("pose", "parsing", "frame"):
            error.option = f"{self.role}_{error.option}"


def list_photos(
    sources: Sequence[str],
    poses: Sequence[str] | None,
    parsings: Sequence[str] | None,
    crop: bool,
    number: int | None = None,
    role: str = "src",
    frame: str | None = None,
    scheme: str | None = None,
) -> list[Photo]:
    """Each of ``sources`` with its own of ``poses`` and ``parsings``, or the only one; the rest is as in `Photo`.

    Raises `InputError` for another number of them, a folder of maps that lacks one, or a file of poses as a photo.
    """
    from pgen.data.formats.keypoints import detect_pose_format

    own_frame = None if frame is None else parse_size(frame, flag_of(f"{role}_frame"))
    own_poses = assign_files(poses, sources, f"{role}_pose")
    own_parsings = assign_files(parsings, sources, f"{role}_parsing")
    photos = []
    for source, pose, parsing in zip(sources, own_poses, own_parsings, strict=True):
        form, (path, _) = None, split_spec(source)
        with suppress(InputError):  # neither pose nor photo: reading it as a photo says what is wrong
            form = detect_pose_format(path)
        if form in ("csv", "json"):  # a target pose, as after ``--pose A B``
            raise InputError(f"{source} holds poses and is no photo; give --pose once for each target")
        parsing = None if parsing is None else find_parsing_of(source, parsing, f"{role}_parsing")
        photos.append(Photo(source, pose, parsing, crop, role, number, own_frame, scheme))
    return photos


def list_files(photos: Sequence[Photo]) -> list[str | None]:
    """The photos and the files that belong to them, as they are named."""
    return [name for photo in photos for name in (photo.source, photo.pose, photo.parsing)]
