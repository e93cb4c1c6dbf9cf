from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from pgen.errors import InputError
from tests.data.annotators.fakes import FakeParser, FakePose, fake_annotators
from tests.data.examples import STANDING, example

IMAGE = example(0).image


def test_the_largest_is_taken_and_the_choice_told() -> None:
    found = fake_annotators([STANDING, STANDING / 2]).pose(IMAGE, "a.png")
    np.testing.assert_array_equal(found.person.pose, STANDING.astype(np.float32))
    assert found.notes[0] == "a.png: pose estimated by fake"
    assert "2 people were found" in found.notes[1]


def test_a_person_is_chosen_by_number() -> None:
    found = fake_annotators([STANDING, STANDING / 2], person=1).pose(IMAGE, "a.png")
    np.testing.assert_array_equal(found.person.pose, (STANDING / 2).astype(np.float32))
    assert len(found.notes) == 1
    for number in (2, -1, -3):
        with pytest.raises(InputError, match=rf"a.png shows 2 people, numbers 0 to 1.*no person {number}"):
            fake_annotators([STANDING, STANDING], person=number).pose(IMAGE, "a.png")


def test_nobody_is_an_error() -> None:
    with pytest.raises(NobodyFoundError, match=r"a.png: no person was found.*the pose yourself"):
        fake_annotators([]).pose(IMAGE, "a.png")


def test_the_silhouette_is_of_who_has_the_pose() -> None:
    people = fake_annotators([STANDING]).find_people(IMAGE)
    assert people is not None
    match = people.match(STANDING + 1)
    assert match is not None
    assert match.silhouette is not None
    assert people.match(STANDING + 90) is None


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str, *rest: Any) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(InputError, match=r"pip install 'pgen\[photo\]'"):
        Annotators().pose(IMAGE, "a.png")


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="choose one of mediapipe, keypointrcnn"):
        Annotators("openpose")
    with pytest.raises(InputError, match="no annotator 'x'; choose one of pgen, segformer"):
        Annotators(parsing="x")


class Movable(FakeParser):
    def to(self, device: torch.device) -> None:
        self.device = device


def test_annotators_run_where_they_are_asked_to_if_they_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda weights: Movable(example(0).parsing))
    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", lambda weights: FakePose([STANDING]))
    annotators = Annotators(device="cpu")
    assert annotators.parsing_annotator().device == torch.device("cpu")
    assert annotators.pose(IMAGE, "a.png").person.pose.shape == (18, 2)
    with pytest.raises(InputError, match=r"cuda:99: no such device here"):
        Annotators(device="cuda:99").parsing_annotator()
