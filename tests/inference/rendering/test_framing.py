from __future__ import annotations

import numpy as np

from pgen.body.crop import CropBox
from pgen.inference.person import Person
from pgen.inference.rendering.framing import extend_person, find_extent, move_into
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
    _, note = move_into(ASIDE - (60, 0), SIZE, STANDING)
    assert note is not None
    assert "cut" in note


def test_photos_are_extended_around_the_person() -> None:
    photo = example(0)
    person = Person("a.png", photo.image, CropBox.whole(SIZE), photo.pose, photo.parsing)
    assert extend_person(person, [STANDING]) is person
    larger = extend_person(person, [ASIDE])
    height, width = larger.crop.size
    added = width - 128
    assert height == 128
    assert 8 <= added <= 9
    np.testing.assert_array_equal(larger.image[:, added:], photo.image)
    np.testing.assert_array_equal(larger.parsing[:, added:], photo.parsing)
    np.testing.assert_allclose(larger.pose, photo.pose + np.array([added, 0]))
