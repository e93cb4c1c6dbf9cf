"""Photos of people as the user names them, with their annotations or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgen.cli.annotation_files import for_each, parsing_of
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor


@dataclass(frozen=True)
class Photo:
    """A photo as it was asked for."""

    source: str
    pose: str | None  #: where its pose is; None: to be estimated
    parsing: str | None  #: the same of its parsing map
    crop: bool  #: whether to work on the part around a person who is small in it
    role: str = "src"  #: how the flags about it begin
    number: int | None = None  #: which of the people in it
    number_flag: str = "--person"

    def person(self, model: Predictor) -> Person:
        """The person in the photo. Raises `InputError`, in the words of this photo's flags, if it cannot be read."""
        model.annotators.person = self.number
        try:
            return model.person(self.source, self.pose, self.parsing, self.crop)
        except InputError as error:
            raise InputError(self.in_flags(str(error))) from error

    def in_flags(self, message: str) -> str:
        """``message`` with the flags that are about this photo."""
        return message.replace("--src-", f"--{self.role}-").replace("--person ", f"{self.number_flag} ")


def photos(
    sources: Sequence[str],
    poses: Sequence[str],
    parsings: Sequence[str],
    crop: bool,
    role: str = "src",
    number: int | None = None,
    number_flag: str = "--person",
) -> list[Photo]:
    """Each of ``sources`` with its own of ``poses`` and ``parsings``, or the only one.

    The other arguments are those of `Photo`, for all of them. Raises `InputError` if there are neither as many as
    photos nor one, or if a folder of maps lacks one.
    """
    own_poses = for_each(poses, sources, f"--{role}-pose")
    own_parsings = for_each(parsings, sources, f"--{role}-parsing")
    found = []
    for source, pose, parsing in zip(sources, own_poses, own_parsings, strict=True):
        labels = None if parsing is None else parsing_of(source, parsing, f"--{role}-parsing")
        found.append(Photo(source, pose, labels, crop, role, number, number_flag))
    return found
