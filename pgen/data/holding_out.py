"""People who are held out of a training, to be validated on, where a data set has none for testing."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from pgen.data.pairing import find_same_person_pairs
from pgen.data.store import Store

_SHARE = 0.1  # of the people


def hold_out_people(store: Store, seed: int, in_pairs: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the images of ``store`` to train on, and of those that are held out.

    Those for testing; where there are none, those of a tenth of the people, at least one of several, whom ``seed``
    chooses. ``in_pairs``, among people of whom there are two photos, if there are any. None if all are one person's.
    """
    train, test = store.indices("train"), store.indices("test")
    photos = _group_by_person(store, train)
    if len(test) or len(photos) < 2:
        return train, test
    people = [person for person, its in photos.items() if len(its) > 1] if in_pairs else []
    count = min(max(1, round(_SHARE * len(photos))), len(photos) - 1)
    chosen = np.random.default_rng(seed).permutation(people or list(photos))[:count].tolist()
    is_held_out = np.isin(np.array(store.persons)[train], chosen)
    return train[~is_held_out], train[is_held_out]


def find_held_out_pairs(store: Store, indices: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Pairs (M, 2) of positions in ``indices``: the store's pairs for testing, or else of photos of one person.

    Evenly thinned, or chosen by ``seed``, if there are more than ``most``.
    """
    position = {int(index): k for k, index in enumerate(indices)}
    pairs = [pair for pair in store.pairs("test").tolist() if position.keys() >= set(pair)]
    if not pairs:
        pairs = find_same_person_pairs(_group_by_person(store, indices), most, seed).tolist()
    chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), most)).astype(int)
    return np.array([[position[index] for index in pairs[k]] for k in chosen], np.int64).reshape(-1, 2)


def _group_by_person(store: Store, indices: NDArray[np.int64]) -> dict[str, list[int]]:
    photos = defaultdict[str, list[int]](list)
    for index in indices.tolist():
        photos[store.persons[index]].append(index)
    return photos
