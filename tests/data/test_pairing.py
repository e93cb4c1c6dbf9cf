from __future__ import annotations

import tracemalloc
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pgen.data.pairing import find_named_pairs, find_same_person_pairs


@given(st.lists(st.integers(0, 6), max_size=6), st.integers(0, 60), st.integers(0, 9))
def test_pairs_of_one_person(sizes: list[int], most: int, seed: int) -> None:
    ends = np.cumsum([0, *sizes])
    photos = {str(k): list(range(ends[k], ends[k + 1]))[::-1] for k in range(len(sizes))}
    every = [pair for group in photos.values() for pair in permutations(group, 2)]
    found = [tuple(pair) for pair in find_same_person_pairs(photos, most, seed).tolist()]
    assert len(found) == min(most, len(every))
    assert found == [pair for pair in every if pair in set(found)]  # each once, in order


def test_chosen_by_the_seed() -> None:
    photos = {"a": list(range(10)), "b": list(range(10, 30))}
    one, same, other = (find_same_person_pairs(photos, 20, seed).tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_many_photos_of_one_person_take_no_memory() -> None:
    tracemalloc.start()
    pairs = find_same_person_pairs({"a": range(20_000)}, 100, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(pairs) == 100
    assert peak < 10e6  # all pairs would be 400 million


def test_named() -> None:
    indices = {"a": 4, "b": 2}
    pairs = [("a", "b"), ("a", "c"), ("c", "b"), ("b", "a")]
    assert find_named_pairs(pairs, indices).tolist() == [[4, 2], [2, 4]]
    assert find_named_pairs([], indices).shape == (0, 2)
