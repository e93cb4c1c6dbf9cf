from __future__ import annotations

import numpy as np
import pytest

from pgen.data.annotators import seen_people
from pgen.data.annotators.seen_people import SeenPeople
from tests.body.poses import STANDING
from tests.data.annotators.fakes import FakePose


def picture(shade: int) -> np.ndarray:
    return np.full((8, 6, 3), shade, np.uint8)


def test_nobody_is_looked_for_twice_in_a_picture() -> None:
    annotator = FakePose([STANDING, STANDING + 1])
    seen = SeenPeople(annotator)
    for _ in range(2):
        for shade in range(3):
            first, second = seen.people(picture(shade))
            np.testing.assert_array_equal(first.pose, STANDING)
            np.testing.assert_array_equal(second.pose, STANDING + 1)
            assert first.silhouette is not None
            assert first.silhouette.dtype == np.float32
            assert first.silhouette.shape == (8, 6)
            assert first.silhouette.min() == 1
    assert annotator.asked == 3
    seen.people(picture(0).transpose(1, 0, 2))  # of other sides
    assert annotator.asked == 4
    assert seen.name == "fake"


def test_a_picture_without_people_is_remembered_too() -> None:
    annotator = FakePose([])
    seen = SeenPeople(annotator)
    assert seen.people(picture(0)) == seen.people(picture(0)) == []
    assert annotator.asked == 1


def test_the_pictures_that_were_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_people, "_KEPT", 2)
    annotator = FakePose([STANDING])
    seen = SeenPeople(annotator)
    for shade in (0, 1, 0, 2, 0):
        seen.people(picture(shade))
    assert annotator.asked == 3
    seen.people(picture(1))
    assert annotator.asked == 4
