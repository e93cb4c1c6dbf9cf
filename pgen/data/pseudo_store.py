"""Pseudo labels in a store: an int32 column ``pseudo_labels`` (N, K) of indices, −1 = none, its options as JSON."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgen.data.outputs import write_whole
from pgen.data.store import Store
from pgen.errors import InputError

_COLUMN = "pseudo_labels"


@dataclass(frozen=True)
class PseudoLabels:
    """For each image those whose maps stand in for its own in another pose."""

    matches: NDArray[np.int32]  # (N, K) indices into the store, -1 = none
    options: dict[str, Any]  # how they were found


def read_pseudo_labels(path: str | os.PathLike[str], count: int) -> PseudoLabels | None:
    """The pseudo labels in the store ``path`` of ``count`` images, None if it has none."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            if _COLUMN not in file:
                return None
            matches = file[_COLUMN][:]
            text = file[_COLUMN].attrs["options"]
            options = dict(json.loads(text.decode() if isinstance(text, bytes) else str(text)))
    except Exception as error:  # h5py raises nearly anything for damaged bytes
        raise InputError(f"{path} is damaged: pseudo labels cannot be read; make them again") from error
    if matches.ndim != 2 or len(matches) != count or matches.dtype != np.int32:
        raise InputError(f"{path} is damaged: pseudo labels are not int32 ({count}, K); make them again")
    if matches.size and (matches.min() < -1 or matches.max() >= count):
        raise InputError(f"{path} is damaged: a pseudo label is no image; make them again")
    return PseudoLabels(matches, options)


def write_pseudo_labels(
    path: str | os.PathLike[str], matches: ArrayLike, options: Mapping[str, Any] | None = None
) -> None:
    """Add pseudo labels to the store ``path``, in the place of those it may have.

    ``matches`` are integers (N, K): for each image the indices of K others, or −1; ``options`` (fit for JSON) say how
    they were found. The store is copied and the copy takes its place, so that whoever reads it, and whatever
    interrupts this, meets a whole store. Raises `InputError` if ``path`` is no store or cannot be written, ValueError
    for matches that do not fit it.
    """
    with Store(path) as store:
        count = len(store)
    rows = np.asarray(matches)
    if rows.ndim != 2 or len(rows) != count or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"matches are integers ({count}, K), not {rows.dtype} {rows.shape}")
    if rows.size and (rows.min() < -1 or rows.max() >= count):
        raise ValueError(f"a match is outside -1 to {count - 1}")
    with write_whole(Path(path), force=True) as aside:
        shutil.copyfile(path, aside)
        with h5py.File(aside, "r+") as file:
            if _COLUMN in file:
                del file[_COLUMN]
            stored = file.create_dataset(_COLUMN, data=rows.astype(np.int32))
            stored.attrs["options"] = json.dumps(dict(options or {}))
