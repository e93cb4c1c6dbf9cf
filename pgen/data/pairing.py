"""Which photos are paired: those the data set names, or all of one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def find_named_pairs(pairs: Sequence[tuple[str, str]], indices: Mapping[str, int]) -> NDArray[np.int32]:
    """Those of the (source, target) names whose photos both have an index, as indices (M, 2)."""
    kept = [(indices[source], indices[target]) for source, target in pairs if source in indices and target in indices]
    return np.array(kept, np.int32).reshape(-1, 2)


def find_same_person_pairs(photos: Mapping[str, Sequence[int]], most: int, seed: int) -> NDArray[np.int32]:
    """All ordered pairs of two of one person's ``photos``, or ``most`` of them chosen by ``seed``: (M, 2).

    In the order of the people, then of the sources, then of the targets; no more are made than are returned.
    """
    groups = [np.asarray(group, np.int32) for group in photos.values()]
    ends = np.cumsum([len(group) * (len(group) - 1) for group in groups], dtype=np.int64)
    total = int(ends[-1]) if groups else 0
    if total > most:
        chosen = np.sort(np.random.default_rng(seed).choice(total, most, replace=False))
    else:
        chosen = np.arange(total)
    pairs = np.empty((len(chosen), 2), np.int32)
    of_group = np.searchsorted(ends, chosen, side="right")
    for row, (number, group) in enumerate(zip(chosen, of_group, strict=True)):
        own = groups[group]
        source, target = divmod(int(number - ends[group]) + len(own) * (len(own) - 1), len(own) - 1)
        pairs[row] = own[source], own[target + (target >= source)]
    return pairs
