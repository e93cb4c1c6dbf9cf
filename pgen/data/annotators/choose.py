"""One annotator of each kind, loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from pgen.data.formats.pose_people import MIN_CONFIDENCE
from pgen.errors import InputError

#: Median distance of joints, in lengths of the longer side of a pose, up to which two poses are one person's.
SAME_PERSON = 0.15

#: Shows that something is being loaded: a context manager for its name.
Loading = Callable[[str], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Annotation:
    """What was estimated of a photo."""

    person: FoundPerson
    notes: tuple[str, ...]  #: what was estimated by what, and the choice there was
    choice: str | None = None  #: that choice, if nobody made it


@dataclass(frozen=True)
class PeopleOfPhoto:
    """Whom an annotator of poses finds in a photo."""

    found: Sequence[FoundPerson]

    def match(self, pose: NDArray[np.floating]) -> FoundPerson | None:
        """Who has the known joints of ``pose`` (18, 2), in pixels of the photo; None if nobody does."""
        best = min(self.found, key=lambda person: measure_gap(person.pose, pose), default=None)
        return best if self.measure_distance(pose) < SAME_PERSON else None

    def measure_distance(self, pose: NDArray[np.floating]) -> float:
        """How far ``pose`` (18, 2) is from whoever is nearest, in its lengths; infinite if there is nobody."""
        known = pose[known_joints(pose)]
        gaps = [measure_gap(person.pose, pose) for person in self.found]
        if not gaps or not len(known):
            return float("inf")
        return min(gaps) / max(float(np.ptp(known, axis=0).max()), 1e-6)

    def measure_share(self, pose: NDArray[np.floating]) -> float | None:
        """The share of the known joints of ``pose`` (18, 2) that lie on anybody; None if silhouettes are not known."""
        masks = [person.silhouette > 0.5 for person in self.found if person.silhouette is not None]
        points = np.rint(pose[known_joints(pose)]).astype(int)
        if not masks or len(masks) < len(self.found) or not len(points):
            return None
        body = np.logical_or.reduce(masks)
        height, width = body.shape
        return sum(0 <= x < width and 0 <= y < height and bool(body[y, x]) for x, y in points.tolist()) / len(points)


class Annotators:
    """Estimates poses and parsing maps with the annotators of these names.

    Args:
        pose: one of `POSE_ANNOTATORS`, with weights of one's own behind a colon: "keypointrcnn:FILE".
        parsing: one of `PARSING_ANNOTATORS`, likewise.
        loading: called when something is loaded, to show it.
        person: which person of a photo, the largest being 0; None for the largest, which is noted. May be set later.
        min_confidence: joints in files of poses that are less sure are left out.
        device: where those run that can, as `pgen.runtime.device.choose_device` knows it; mediapipe runs on CPUs.
    """

    def __init__(
        self,
        pose: str = "mediapipe",
        parsing: str = "pgen",
        loading: Loading = lambda name: nullcontext(),
        person: int | None = None,
        min_confidence: float = MIN_CONFIDENCE,
        device: str = "cpu",
    ) -> None:
        self._pose_name = find_annotator(POSE_ANNOTATORS, pose, "pose_annotator")
        self._parsing_name = find_annotator(PARSING_ANNOTATORS, parsing, "parser")
        self._loading, self.person, self.min_confidence, self._device = loading, person, min_confidence, device
        self._pose: PoseAnnotator | None = None
        self._parser: ParsingAnnotator | None = None

    def pose(self, image: NDArray[np.uint8], photo: str, number: int | None = None) -> Annotation:
        """The pose of the person in ``image``, uint8 (H, W, 3), that was taken from ``photo``.

        ``number`` says which, instead of ``person``.

        Raises `InputError` if nobody is found, there is no person of the number, or the annotator is not installed.
        """
        annotator = self.pose_annotator()
        try:
            person, note = pick_person(annotator.people(image), self.person if number is None else number, photo)
        except InputError as error:
            error.option = error.option if number is None else None  # it was not ``person`` that said so
            raise
        notes = (f"{photo}: pose estimated by {annotator.name}", *([note] if note else []))
        return Annotation(person, notes, note)

    def find_people(self, image: NDArray[np.uint8]) -> PeopleOfPhoto | None:
        """Everybody in ``image``, uint8 (H, W, 3); None if the annotator of poses is not installed."""
        try:
            annotator = self.pose_annotator()
        except InputError:
            return None
        return PeopleOfPhoto(annotator.people(image))

    def parsing(self, request: ParsingRequest) -> FoundMap:
        """The parsing map of a photo. Raises `InputError` if the parser cannot be loaded."""
        return self.parsing_annotator().parse([request])[0]

    def pose_annotator(self) -> PoseAnnotator:
        """The annotator of poses, loaded."""
        if self._pose is None:
            with self._loading(self._pose_name[0]):
                self._pose = load_annotator(POSE_ANNOTATORS, *self._pose_name, self._device)
        return self._pose

    def parsing_annotator(self) -> ParsingAnnotator:
        """The parser, loaded."""
        if self._parser is None:
            name = self._parsing_name[0]
            with self._loading(f"{name}'s parser" if name == "pgen" else name):
                self._parser = load_annotator(PARSING_ANNOTATORS, *self._parsing_name, self._device)
        return self._parser


def measure_gap(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Median distance of the joints that both poses know, pixels; infinite if there are none."""
    both = known_joints(first) & known_joints(second)
    return float(np.median(np.linalg.norm(first[both] - second[both], axis=1))) if both.any() else float("inf")
