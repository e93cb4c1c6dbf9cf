"""Photos of people as the user names them, and which annotations belong to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.annotation_files import assign_files, find_parsing_of
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor

PoseFiles = Annotated[
    list[str] | None,
    typer.Option(
        help="Pose in that photo (default: estimated); of a CSV or store, the row of its name. Once for all, or each.",
        metavar="FILE",
    ),
]
ParsingFiles = Annotated[
    list[str] | None,
    typer.Option(
        help="Its parsing map (default: estimated), or a folder of maps named as the photos. Once for all, or each.",
        metavar="FILE",
    ),
]
Number = Annotated[
    int | None, typer.Option(min=0, help="Which person of that photo, 0 being the largest.", metavar="N")
]


@dataclass(frozen=True)
class Photo:
    """A photo as the user names it, with the files that belong to it."""

    source: str
    pose: str | None  #: where its pose is; None: to be estimated
    parsing: str | None  #: the same of its parsing map
    crop: bool  #: whether to work on the part around a person who is small in it
    role: str  #: how the options about it begin
    number: int | None  #: which of the people in it
    number_option: str  #: and the option that says so

    def read(self, predictor: Predictor) -> Person:
        """The person in the photo. Raises `InputError` about this photo's options if it cannot be read."""
        try:
            return predictor.person(self.source, self.pose, self.parsing, self.crop, self.number)
        except InputError as error:
            options = {"number": self.number_option, "person": self.number_option}
            options |= {kind: f"{self.role}_{kind}" for kind in ("pose", "parsing")}
            error.option = options.get(error.option or "", error.option)
            raise


def list_photos(
    sources: Sequence[str],
    poses: Sequence[str] | None,
    parsings: Sequence[str] | None,
    crop: bool,
    number: int | None = None,
    role: str = "src",
    number_option: str = "person",
) -> list[Photo]:
    """Each of ``sources`` with its own of ``poses`` and ``parsings``, or the only one.

    The other arguments are those of `Photo`, for all of them. Raises `InputError` if there are neither as many as
    photos nor one, if a folder of maps lacks one, or if a photo is a file of poses.
    """
    for source in sources:
        _refuse_poses(source)
    own_poses = assign_files(poses, sources, f"{role}_pose")
    files = zip(sources, assign_files(parsings, sources, f"{role}_parsing"), strict=True)
    own_parsings = [
        file if file is None else find_parsing_of(source, file, f"{role}_parsing") for source, file in files
    ]
    return [
        Photo(source, pose, parsing, crop, role, number, number_option)
        for source, pose, parsing in zip(sources, own_poses, own_parsings, strict=True)
    ]


def _refuse_poses(source: str) -> None:
    """Refuse a target pose that stands among the photos, as after ``--pose A B``."""
    from pgen.data.formats.keypoints import detect_pose_format
    from pgen.data.inputs import split_spec

    path, _ = split_spec(source)
    try:
        form = detect_pose_format(path)
    except InputError:
        return  # neither pose nor photo: reading it as a photo says what is wrong
    if form in ("csv", "json"):
        raise InputError(f"{source} holds poses and is no photo; give --pose once for each target")
