"""Options about estimating poses and parsing maps, and the annotators they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.conduct import progress

if TYPE_CHECKING:
    from pgen.data.annotators.choose import Annotators

CountedPerson = Annotated[
    int | None,
    typer.Option(
        "--person", min=0, help="Which person of a photo, 0 being the largest (default: the largest).", metavar="N"
    ),
]
PoseAnnotator = Annotated[
    str,
    typer.Option(
        "--pose-annotator",
        help="What estimates poses: mediapipe, keypointrcnn, or keypointrcnn:WEIGHTS.pth.",
        metavar="NAME",
    ),
]


def annotators(pose: str = "mediapipe", person: int | None = None, parsing: str | None = None) -> Annotators:
    """Annotators that show when they are loaded."""
    from pgen.data.annotators.choose import Annotators

    return Annotators(pose, parsing, _loading, person)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    with progress(f"loading {name}"):
        yield
