from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from pgen.body.crop import CropBox
from pgen.body.joints import Joint
from pgen.inference.person import Person, find_crop, tell_part, tell_smallness
from pgen.inference.predictor import Predictor
from tests.data.examples import SIZE, example

A = example(0)


@pytest.fixture
def person() -> Person:
    pose = A.pose.copy()
    pose[Joint.NOSE] = np.nan
    return Person("a.png", A.image, CropBox.whole(SIZE), pose, A.parsing)


def test_people_are_equal_by_content(person: Person) -> None:
    twin = replace(person, photo=person.photo.copy(), pose=person.pose.copy())
    assert person == twin
    assert hash(person) == hash(twin)
    assert replace(person, carried=person.parsing > 0) != replace(person, carried=None)
    for other in (
        replace(person, name="b.png"),
        replace(person, parsing=person.parsing + 1),
        replace(person, pose=person.pose + 1),
        "a.png",
    ):
        assert person != other


def test_people_are_pickled_and_shown_in_one_line(person: Person) -> None:
    assert pickle.loads(pickle.dumps(person)) == person
    assert repr(person) == "Person('a.png', 128x128)"
    assert repr(replace(person, crop=CropBox(8, 0, 128, 64))) == "Person('a.png', 120x64 of 128x128)"


def test_a_part_of_the_photo(person: Person) -> None:
    box = CropBox(8, 16, 100, 64)
    part = replace(person, crop=box, parsing=box.of(person.parsing), pose=person.pose - box.corner)
    np.testing.assert_array_equal(part.image, A.image[8:100, 16:64])
    whole = part.expand_parsing(part.parsing)
    np.testing.assert_array_equal(whole[8:100, 16:64], A.parsing[8:100, 16:64])
    assert not whole[:8].any()


def test_a_small_person_is_cropped_out() -> None:
    parsing = np.zeros((400, 600), np.uint8)
    parsing[200:328, 300:428] = A.parsing
    crop = find_crop(A.pose + np.array((300, 200), np.float32), parsing, (64, 64))
    assert max(crop.size) < 250
    assert crop.top <= 200 < 328 <= crop.bottom
    assert find_crop(A.pose, A.parsing, (64, 64)) == CropBox.whole(SIZE)


def test_a_part_and_a_person_who_is_too_small_are_told() -> None:
    parsing, photo = np.zeros((900, 600), np.uint8), np.zeros((900, 600, 3), np.uint8)
    parsing[200:328, 300:428] = A.parsing
    whole = Person("a.png", photo, CropBox.whole((900, 600)), A.pose + np.array((300, 200), np.float32), parsing)
    (doubt,) = tell_smallness(whole, (64, 64)).warnings
    assert doubt.startswith("a.png: the person is so small that networks see little of them")
    box = find_crop(whole.pose, parsing, (64, 64))
    part = tell_part(replace(whole, crop=box, parsing=box.of(parsing), pose=whole.pose - box.corner))
    assert part.notes == (f"a.png: the part of {box.size[1]}x{box.size[0]} pixels around the person is worked on",)
    assert not part.warnings
    large = Person("b.png", A.image, CropBox.whole(SIZE), A.pose, A.parsing)
    assert tell_smallness(large, (64, 64)) is tell_part(large) is large


def test_tensors_are_kept_as_long_as_the_person(model: Predictor, person: Person) -> None:
    first = model.networks.frame_person(person).batch
    assert model.networks.frame_person(person).batch is first
    changed = replace(person, parsing=np.roll(person.parsing, 8))
    assert (model.networks.frame_person(changed).batch.labels != first.labels).any()
    assert model.networks.frame_reduced(person).batch is first
    kept = len(model.networks._batches)
    del changed
    assert len(model.networks._batches) == kept - 1
