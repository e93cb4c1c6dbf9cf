"""Pseudo labels that a training made for itself, in a file of their own beside the data set, which stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.data.store import PseudoLabels, Store
from pgen.data.store_file import name_beside
from pgen.errors import PgenError
from pgen.runtime.atomic_write import atomic_write, remove_leftovers


def kept_path(store: Path) -> Path:
    """Where the pseudo labels of trainings on ``store`` are kept."""
    return name_beside(store, ".pseudo-labels.npz")


def read_kept(store: Store, options: Mapping[str, Any]) -> PseudoLabels | None:
    """Those kept for ``store`` that were found with ``options``; None if there are none."""
    found = _read(kept_path(store.path))
    if found is None or found.options != _identify(store) | dict(options):
        return None
    count, matches = len(store), found.matches
    is_whole = (
        matches.ndim == 2 and len(matches) == count and matches.size and -1 <= matches.min() <= matches.max() < count
    )
    return found if is_whole else None


def keep(store: Store, matches: NDArray[np.int32], options: Mapping[str, Any]) -> Path | None:
    """Keep ``matches`` (N, K) for the next training, in the place of what was kept; None where nothing can be written.

    Another file of that name is left as it is.
    """
    path = kept_path(store.path)
    if path.exists() and _read(path) is None:
        return None
    text = json.dumps(_identify(store) | dict(options))
    with suppress(PgenError, OSError):  # read-only data are no reason not to train
        remove_leftovers(path)
        with atomic_write(path, overwrite=True) as aside, aside.open("wb") as file:
            np.savez_compressed(file, matches=matches, options=np.frombuffer(text.encode(), np.uint8))
        return path
    return None


def _identify(store: Store) -> dict[str, Any]:
    """What tells a store from another one of the same name."""
    return {"created": str(store.provenance.get("created", "")), "photos": len(store)}


def _read(path: Path) -> PseudoLabels | None:
    with suppress(Exception):  # another file, or half of one; zip files raise nearly anything
        with np.load(path, allow_pickle=False) as arrays:
            options = json.loads(arrays["options"].tobytes())
            matches = arrays["matches"]
        if isinstance(options, dict) and matches.dtype == np.int32:
            return PseudoLabels(matches, options)
    return None
