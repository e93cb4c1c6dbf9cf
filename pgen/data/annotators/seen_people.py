"""People that were found lately: whoever asks for those in the same picture again need not look for them anew."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import FoundPerson, PoseAnnotator
from pgen.runtime.recent_pictures import RecentPictures, hash_picture

_KEPT = 128  # pictures, with the silhouettes of those whom they show

_Packed = tuple[FoundPerson, NDArray[np.uint8] | None]


class SeenPeople:
    """A `PoseAnnotator` that remembers whom ``annotator`` found in the last pictures.

    Silhouettes are kept in 256 shades, a quarter of their size.
    """

    def __init__(self, annotator: PoseAnnotator) -> None:
        self.annotator, self.name = annotator, annotator.name
        self._seen = RecentPictures[list[_Packed]](_KEPT)

    def people(self, image: NDArray[np.uint8]) -> list[FoundPerson]:
        key = hash_picture(image)
        if key not in self._seen:
            self._seen[key] = [_pack(person) for person in self.annotator.people(image)]
        return [_unpack(person) for person in self._seen[key]]


@lru_cache(maxsize=2)
def load_seen_people(given: str, *content: str) -> SeenPeople:
    """The annotator that ``given`` names, one for all who ask in this process while its weights have the same hash.

    Raises `InputError` if it is not to be had.
    """
    return SeenPeople(Annotators(given).pose_annotator())


def _pack(person: FoundPerson) -> _Packed:
    shades = None if person.silhouette is None else np.rint(255 * person.silhouette.clip(0, 1)).astype(np.uint8)
    return replace(person, silhouette=None), shades


def _unpack(packed: _Packed) -> FoundPerson:
    person, shades = packed
    return replace(person, silhouette=None if shades is None else (shades / 255).astype(np.float32))
