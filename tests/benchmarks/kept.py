"""What a benchmark renders or estimates, kept in a file, so that other weights are measured without doing so again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]


def kept(name: str, count: int, make: Callable[[], Iterable[Arrays]]) -> Iterator[Arrays]:
    """The first ``count`` of what ``make`` yields, which have the same names and shapes.

    If ``PGEN_KEEP`` names a folder, they are kept in its file NAME-COUNT.npz, and taken from there the next time.
    """
    folder = os.environ.get("PGEN_KEEP")
    path = Path(folder, f"{name}-{count}.npz") if folder else None
    if path is not None and path.is_file():
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        yield from ({key: array[index] for key, array in arrays.items()} for index in range(count))
        return
    found: list[Arrays] = []
    for _, item in zip(range(count), make(), strict=False):
        if path is not None:
            found.append(item)
        yield item
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{key: np.stack([item[key] for item in found]) for key in found[0]})
