"""One annotator of each kind, loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints
from pgen.data.annotators.interface import (
    FoundMap,
    FoundPerson,
    ParsingAnnotator,
    ParsingRequest,
    PoseAnnotator,
    pick_person,
)
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS, find_annotator, load_annotator
from pgen.errors import InputError

# Median distance of joints, in lengths of the longer side of a pose, up to which two poses are one person's.
_SAME_PERSON = 0.15

#: Shows that something is being loaded: a context manager for its name.
Loading = Callable[[str], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Annotation:
    """What was estimated of a photo."""

    person: FoundPerson
    notes: tuple[str, ...]  #: what was estimated by what, and the choice there was


class Annotators:
    """Estimates poses and parsing maps with the annotators of these names.

    Args:
        pose: one of `POSE_ANNOTATORS`, with weights of one's own behind a colon: "keypointrcnn:FILE".
        parsing: one of `PARSING_ANNOTATORS`, likewise.
        loading: called when something is loaded, to show it.
        person: which person of a photo, the largest being 0; None for the largest, which is noted. May be set later.
    """

    def __init__(
        self,
        pose: str = "mediapipe",
        parsing: str = "pgen",
        loading: Loading = lambda name: nullcontext(),
        person: int | None = None,
    ) -> None:
        self._pose_name = find_annotator(POSE_ANNOTATORS, pose, "pose_annotator")
        self._parsing_name = find_annotator(PARSING_ANNOTATORS, parsing, "parser")
        self._loading, self.person = loading, person
        self._pose: PoseAnnotator | None = None
        self._parser: ParsingAnnotator | None = None

    def pose(self, image: NDArray[np.uint8], photo: str, number: int | None = None) -> Annotation:
        """The pose of the person in ``image``, uint8 (H, W, 3), that was taken from ``photo``.

        ``number`` says which, instead of ``person``.

        Raises `InputError` if nobody is found, there is no person of the number, or the annotator is not installed.
        """
        annotator = self.pose_annotator()
        person, note = pick_person(annotator.people(image), self.person if number is None else number, photo)
        notes = (f"{photo}: pose estimated by {annotator.name}", *([note] if note else []))
        return Annotation(person, notes)

    def silhouette(self, image: NDArray[np.uint8], pose: NDArray[np.floating]) -> NDArray[np.float32] | None:
        """The silhouette (H, W) of the person in ``image`` who has the known joints of ``pose`` (18, 2).

        None if nobody does, or the annotator of poses is not installed or gives none.
        """
        try:
            people = self.pose_annotator().people(image)
        except InputError:
            return None
        size = float(np.nanmax(np.ptp(pose[known_joints(pose)], axis=0)))
        best = min(people, key=lambda person: _measure_gap(person.pose, pose), default=None)
        return best.silhouette if best is not None and _measure_gap(best.pose, pose) < _SAME_PERSON * size else None

    def parsing(self, request: ParsingRequest) -> FoundMap:
        """The parsing map of a photo. Raises `InputError` if the parser cannot be loaded."""
        return self.parsing_annotator().parse([request])[0]

    def pose_annotator(self) -> PoseAnnotator:
        """The annotator of poses, loaded."""
        if self._pose is None:
            with self._loading(self._pose_name[0]):
                self._pose = load_annotator(POSE_ANNOTATORS, *self._pose_name)
        return self._pose

    def parsing_annotator(self) -> ParsingAnnotator:
        """The parser, loaded."""
        if self._parser is None:
            name = self._parsing_name[0]
            with self._loading(f"{name}'s parser" if name == "pgen" else name):
                self._parser = load_annotator(PARSING_ANNOTATORS, *self._parsing_name)
        return self._parser


def _measure_gap(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Median distance of the joints that both poses know, pixels; infinite if there are none."""
    both = known_joints(first) & known_joints(second)
    return float(np.median(np.linalg.norm(first[both] - second[both], axis=1))) if both.any() else float("inf")
