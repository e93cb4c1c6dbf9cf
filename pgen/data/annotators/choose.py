"""Which annotators there are, and one of each kind loaded when it is first needed."""

from __future__ import annotations

import importlib.util
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
from pgen.errors import InputError

POSE_ANNOTATORS = ("mediapipe", "keypointrcnn")

# Median distance of joints, in lengths of the longer side of a pose, up to which two poses are one person's.
_SAME_PERSON = 0.15

#: Shows that something is being loaded: a context manager for its name.
Loading = Callable[[str], AbstractContextManager[Any]]


def _own_parser(file: str | None) -> ParsingAnnotator:
    from pgen.data.annotators.own_parser import OwnParser

    return OwnParser(file)


def _segformer(folder: str | None) -> ParsingAnnotator:
    from pgen.data.annotators.segformer import SegFormer

    return SegFormer(folder)


#: What loads a parser from what stands behind the colon (weights, or None), by the name of the parser.
PARSERS: dict[str, Callable[[str | None], ParsingAnnotator]] = {"pgen": _own_parser, "segformer": _segformer}


@dataclass(frozen=True)
class Annotation:
    """What was estimated of a photo."""

    person: FoundPerson
    notes: tuple[str, ...]  #: what was estimated by what, and the choice there was


class Annotators:
    """Estimates poses and parsing maps with the annotators of these names.

    Args:
        pose: "mediapipe", or "keypointrcnn", or "keypointrcnn:FILE" with weights of one's own.
        parsing: "pgen", the parser of our own, "segformer", or either with weights of one's own behind a colon.
        loading: called when something is loaded, to show it.
        person: which person of a photo, the largest being 0; None for the largest, which is told. May be set later.
    """

    def __init__(
        self,
        pose: str = "mediapipe",
        parsing: str = "pgen",
        loading: Loading = lambda name: nullcontext(),
        person: int | None = None,
    ) -> None:
        name = pose.partition(":")[0]
        if name not in POSE_ANNOTATORS:
            raise InputError(f"there is no pose annotator {name!r}; choose one of {', '.join(POSE_ANNOTATORS)}")
        if parsing.partition(":")[0] not in PARSERS:
            raise InputError(f"there is no parser {parsing!r}; choose one of {', '.join(PARSERS)}")
        self._pose_name, self._parsing_name, self._loading, self.person = pose, parsing, loading, person
        self._pose: PoseAnnotator | None = None
        self._parser: ParsingAnnotator | None = None

    def pose(self, image: NDArray[np.uint8], photo: str) -> Annotation:
        """The pose of the person in ``image``, uint8 (H, W, 3), that was taken from ``photo``.

        Raises `InputError` if nobody is found, there is no person of the number, or the annotator is not installed.
        """
        annotator = self.pose_annotator()
        person, told = pick_person(annotator.people(image), self.person, photo)
        notes = (f"{photo}: pose estimated by {annotator.name}", *([told] if told else []))
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
        best = min(people, key=lambda person: _gap(person.pose, pose), default=None)
        return best.silhouette if best is not None and _gap(best.pose, pose) < _SAME_PERSON * size else None

    def parsing(self, request: ParsingRequest) -> FoundMap:
        """The parsing map of a photo. Raises `InputError` if the parser cannot be loaded."""
        return self.parsing_annotator().parse([request])[0]

    def pose_annotator(self) -> PoseAnnotator:
        """The annotator of poses, loaded."""
        if self._pose is None:
            name, _, file = self._pose_name.partition(":")
            with self._loading(name):
                self._pose = _load_pose(name, file or None)
        return self._pose

    def parsing_annotator(self) -> ParsingAnnotator:
        """The parser, loaded."""
        if self._parser is None:
            name, _, file = self._parsing_name.partition(":")
            with self._loading(f"{name}'s parser" if name == "pgen" else name):
                self._parser = PARSERS[name](file or None)
        return self._parser


def _gap(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Median distance of the joints that both poses know, pixels; infinite if there are none."""
    both = known_joints(first) & known_joints(second)
    return float(np.median(np.linalg.norm(first[both] - second[both], axis=1))) if both.any() else float("inf")


def _load_pose(name: str, file: str | None) -> PoseAnnotator:
    if name == "mediapipe":
        if file is not None:
            raise InputError(f"the annotator mediapipe takes no weights, and {file} is given; its own are inside of it")
        if importlib.util.find_spec("mediapipe") is None:
            raise InputError(
                "estimating a pose needs mediapipe, which is not installed: pip install 'pgen[photo]' (or give the "
                "pose yourself)"
            )
        from pgen.data.annotators.mediapipe_pose import MediapipePose

        return MediapipePose()
    from pgen.data.annotators.keypoint_rcnn import KeypointRCNN

    return KeypointRCNN(file)
