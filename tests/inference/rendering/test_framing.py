from __future__ import annotations

import numpy as np

from pgen.body.crop import CropBox
from pgen.inference.person import Person
from pgen.inference.rendering.framing import extend_person, find_extent, find_lacking, move_into
from tests.data.examples import STANDING, example

SIZE = (128, 128)
#: As far to the left of the photo as it can be moved back.
ASIDE = STANDING - (find_extent(STANDING)[0] + 8, 0)


def test_poses_are_moved_into_the_photo() -> None:
    moved, note = move_into(STANDING, SIZE, STANDING)
    np.testing.assert_array_equal(moved, STANDING)
    assert note is None
    moved, note = move_into(ASIDE, SIZE, STANDING)
    assert find_extent(moved)[0] >= -1e-3
    assert note is not None
    assert "moved" in note
    _, note = move_into(STANDING - (find_extent(STANDING)[0] + 1, 0), SIZE, STANDING)
    assert note is None  # of a pixel nobody need know
    _, note = move_into(ASIDE - (60, 0), SIZE, STANDING)
    assert note is not None
    assert "cut" in note


def test_bodies_that_are_a_little_too_large_become_smaller() -> None:
    left, top, right, bottom = find_extent(STANDING)
    shown = (round(0.93 * (bottom - top)), round(right) + 20)
    source = STANDING * 0.5
    moved, note = move_into(STANDING, shown, source)
    assert note is not None
    assert "7 % smaller" in note
    assert "cut" not in note
    np.testing.assert_allclose(find_extent(moved)[[1, 3]], (0, shown[0]), atol=0.2)
    np.testing.assert_allclose(find_extent(moved)[[0, 2]].mean(), (left + right) / 2, atol=0.2)
    kept, note = move_into(STANDING, (round(0.7 * (bottom - top)), shown[1]), source)
    assert note is not None
    assert "cut" in note
    np.testing.assert_allclose(np.diff(kept, axis=0), np.diff(STANDING, axis=0), atol=1e-3)


def test_photos_are_extended_around_the_person() -> None:
    photo = example(0)
    person = Person("a.png", photo.image, CropBox.whole(SIZE), photo.pose, photo.parsing)
    assert find_lacking(SIZE, [STANDING]) == (0, 0, 0, 0)
    larger = extend_person(person, find_lacking(SIZE, [STANDING, ASIDE]))
    height, width = larger.crop.size
    added = width - 128
    assert height == 128
    assert 8 <= added <= 9
    np.testing.assert_array_equal(larger.image[:, added:], photo.image)
    np.testing.assert_array_equal(larger.parsing[:, added:], photo.parsing)
    np.testing.assert_allclose(larger.pose, photo.pose + np.array([added, 0]))
