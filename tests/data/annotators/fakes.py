"""Annotators that need no network: what they find is told beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import FoundMap, FoundPerson, ParsingRequest


class FakePose:
    name = "fake"

    def __init__(self, poses: Sequence[np.ndarray]) -> None:
        self.poses = poses
        self.asked = 0

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        self.asked += 1
        ones = np.ones(18, np.float32)
        silhouette = np.ones(image.shape[:2], np.float32)
        return [FoundPerson(pose.astype(np.float32), ones, silhouette) for pose in self.poses]


class FakeParser:
    name = "fake parser"

    def __init__(self, parsing: np.ndarray, doubts: tuple[str, ...] = (), carried: np.ndarray | None = None) -> None:
        self.parsing, self.doubts, self.carried = parsing, doubts, carried
        self.asked: list[ParsingRequest] = []

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        self.asked += photos
        return [FoundMap(self.parsing, self.doubts, self.carried) for _ in photos]


def fake_annotators(
    poses: Sequence[np.ndarray], parsing: np.ndarray | None = None, person: int | None = None
) -> Annotators:
    """Annotators that find ``poses`` in every photo, and ``parsing``."""
    annotators = Annotators(person=person)
    annotators._pose = FakePose(poses)
    annotators._parser = None if parsing is None else FakeParser(parsing)
    return annotators
