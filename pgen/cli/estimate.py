"""Options about estimating poses and parsing maps, and the annotators they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.terminal import progress
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.data.annotators.choose import Annotators

_NUMBER = "Which person of a photo, 0 being the largest (default: the largest)."
_POSE = f"What estimates poses: {', '.join(POSE_ANNOTATORS)}; NAME:FILE with weights of your own."
_PARSER = f"What estimates parsing maps: {', '.join(PARSING_ANNOTATORS)}; NAME:FILE with weights of your own."

PersonNumber = Annotated[int | None, typer.Option("--person", min=0, help=_NUMBER, metavar="N")]
PoseAnnotatorName = Annotated[str, typer.Option("--pose-annotator", help=_POSE, metavar="NAME")]
ParserName = Annotated[str, typer.Option("--parser", help=_PARSER, metavar="NAME")]


def parse_kinds(text: str, flag: str) -> tuple[str, ...]:
    """What is to be estimated, of "pose,parsing". Raises `InputError` naming ``flag``."""
    kinds = tuple(part.strip() for part in text.split(","))
    if not set(kinds) <= {"pose", "parsing"}:
        raise InputError(f"{flag} {text}: choose pose, parsing, or pose,parsing")
    return kinds


def make_annotators(pose: str = "mediapipe", person: int | None = None, parsing: str = "pgen") -> Annotators:
    """Annotators that show when they are loaded: of poses, of the person of that number, and of parsing maps.

    Raises `InputError` for unknown names.
    """
    from pgen.data.annotators.choose import Annotators

    return Annotators(pose, parsing, lambda name: progress(f"loading {name}"), person)
