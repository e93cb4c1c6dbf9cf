from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgen.data.holding_out import find_held_out_pairs, hold_out_people
from pgen.data.store import Store, StoreWriter
from tests.data.examples import SIZE, example


def open_store(path: Path, people: str, tested: str = "") -> Store:
    """A photo of each of ``people``, by letters; those of ``tested`` are for testing."""
    with StoreWriter(path / "a.h5", SIZE, source="tests") as writer:
        for k, person in enumerate(people):
            split = "test" if person in tested else "train"
            writer.add(replace(example(0), name=f"{k}.jpg", person=person, split=split))
    return Store(path / "a.h5")


def test_a_tenth_of_the_people_with_all_their_photos(tmp_path: Path) -> None:
    store = open_store(tmp_path, "aabbcdefghijklmnopqrst")
    train, held_out = hold_out_people(store, 3)
    people = [{store.persons[index] for index in some} for some in (train, held_out)]
    assert len(people[1]) == 2
    assert not people[0] & people[1]
    assert sorted([*train, *held_out]) == list(range(len(store)))
    np.testing.assert_array_equal(hold_out_people(store, 3)[1], held_out)
    assert any(hold_out_people(store, seed)[1].tolist() != held_out.tolist() for seed in range(3))
    of_several = hold_out_people(store, 3, in_pairs=True)[1]
    assert {store.persons[index] for index in of_several} == {"a", "b"}
    pairs = find_held_out_pairs(store, of_several, 96, 0)
    assert [[store.persons[of_several[k]] for k in pair] for pair in pairs] == [["a", "a"]] * 2 + [["b", "b"]] * 2
    assert len(find_held_out_pairs(store, of_several, 2, 0)) == 2


@pytest.mark.parametrize(("people", "tested", "expected"), [("aab", "b", [2]), ("aaaa", "", [])])
def test_those_for_testing_and_of_one_person_nobody(
    tmp_path: Path, people: str, tested: str, expected: list[int]
) -> None:
    store = open_store(tmp_path, people, tested)
    train, held_out = hold_out_people(store, 0)
    assert held_out.tolist() == expected
    assert len(train) + len(held_out) == len(people)
    assert not len(find_held_out_pairs(store, held_out, 96, 0))
