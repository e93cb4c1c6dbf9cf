"""What an annotator of poses and one of parsing maps give, whichever network is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints
from pgen.errors import InputError


class NobodyFoundError(InputError):
    """A photo in which no person was found."""


@dataclass(frozen=True)
class FoundPerson:
    """A person that was found in a photo of height H and width W."""

    pose: NDArray[np.float32]  #: (18, 2), (x, y) in pixels of the photo; NaN = outside of it, hidden, or not found
    confidence: NDArray[np.float32]  #: (18,), 0 to 1; 0 where the joint is missing
    silhouette: NDArray[np.float32] | None = None  #: (H, W), 0 to 1: how likely a pixel is of this person
    doubts: tuple[str, ...] = ()  #: what may be wrong, a sentence each, for the user
    is_likely: bool = True  #: whether it is a person at all, and not a cat or a cup

    @property
    def extent(self) -> float:
        """Height times width of the box around the known joints, square pixels."""
        points = self.pose[known_joints(self.pose)]
        return float(np.prod(np.ptp(points, axis=0) + 1)) if len(points) else 0.0


@dataclass(frozen=True)
class ParsingRequest:
    """A photo with the person whose parsing map is wanted."""

    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    pose: NDArray[np.float32]  #: (18, 2), (x, y) in pixels of the image, NaN = missing
    silhouette: NDArray[np.float32] | None = None  #: (H, W), 0 to 1; None if whoever found the pose gives none


@dataclass(frozen=True)
class FoundMap:
    """The parsing map of a person in a photo of height H and width W."""

    labels: NDArray[np.uint8]  #: (H, W), ids 0-9, of the person alone: others are background
    doubts: tuple[str, ...] = ()  #: what may be wrong, a sentence each, for the user
    carried: NDArray[np.bool_] | None = None  #: (H, W), background that is carried, such as a bag; None: not looked for


class PoseAnnotator(Protocol):
    """Finds people and their joints."""

    name: str  #: what to call it in messages

    def people(self, image: NDArray[np.uint8]) -> list[FoundPerson]:
        """The people in a photo, uint8 (H, W, 3) RGB of any size: likely ones and the largest first, or none."""
        ...


class ParsingAnnotator(Protocol):
    """Labels the pixels of people."""

    name: str  #: what to call it in messages

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        """Parsing maps at the photos' own sizes.

        Photos may differ in size; they come in one call so that a network can take them together.
        """
        ...


def pick_person(people: Sequence[FoundPerson], person: int | None, photo: str) -> tuple[FoundPerson, str | None]:
    """The person of that number, or the largest; and a note for the user if there was a choice.

    Raises:
        NobodyFoundError: there is nobody. The message names ``photo``.
        InputError: there is no person of that number.
    """
    if not people:
        raise NobodyFoundError(
            f"{photo}: no person was found; give a photo that shows one larger, or the pose yourself"
        )
    if person is not None and not 0 <= person < len(people):
        count = "1 person, number 0" if len(people) == 1 else f"{len(people)} people, numbers 0 to {len(people) - 1}"
        raise InputError(f"{photo} shows {count}, the largest first; there is no person {person}", option="person")
    note = None
    if person is None and len(people) > 1:
        others = "number 1 is the other" if len(people) == 2 else f"numbers 1 to {len(people) - 1} are the others"
        note = f"{photo}: {len(people)} people were found, the largest is taken ({others})"
    return people[person or 0], note
