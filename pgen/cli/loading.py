"""Annotators and networks as commands load them: shown, and named to the user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.terminal import log, progress
from pgen.runtime.seed import seed_everything

if TYPE_CHECKING:
    from pgen.data.annotators.choose import Annotators
    from pgen.inference.predictor import Predictor


def make_annotators(
    pose: str, person: int | None, parsing: str, min_confidence: float | None = None, device: str = "auto"
) -> Annotators:
    """Annotators, by name, that show when they are loaded; ``person`` is the number of whose poses they estimate.

    Joints in files of poses are left out that are less sure than ``min_confidence``.

    Raises `InputError` for unknown names.
    """
    from pgen.data.annotators.choose import Annotators
    from pgen.data.formats.pose_people import MIN_CONFIDENCE

    least = MIN_CONFIDENCE if min_confidence is None else min_confidence
    return Annotators(pose, parsing, lambda name: progress(f"loading {name}"), person, least, device)


def open_predictor(
    weights: Path | None, device: str, seed: int, annotators: Annotators | None = None, precision: str = "auto"
) -> Predictor:
    """The networks, named to the user; all random numbers begin at ``seed``."""
    from pgen.inference.predictor import load

    seed_everything(seed)
    predictor = load(weights, device, annotators, precision)
    log(predictor.origin)
    return predictor
