"""What has been measured before, kept in a file, so that an interrupted evaluation goes on where it was."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.runtime.resumable_map import ResumableMap


def default_cache() -> Path:
    """Where measurements are kept: in the user's folder for such files."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pgen" / "scores.sqlite"


class ScoreCache:
    """Rows of numbers by key; keys are hashes of all that the numbers depend on, so nothing in it is ever out of date.

    Several processes may use one file. Raises `InputError` if the file is no such cache, or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._map = ResumableMap(path)
            if self._map.header is not None:
                self._map.close()
                raise InputError(f"{path} keeps unfinished work of another kind; name another file")
        except InputError as error:
            raise InputError(f"scores cannot be kept: {error}", option="cache") from error
        except OSError as error:
            raise InputError(f"{path} cannot be made to keep scores ({error})", option="cache") from error

    def get(self, keys: Sequence[str]) -> dict[str, NDArray[np.floating]]:
        """The rows that are there of those asked for, as they were kept: float32 or float64 (K,)."""
        found = self._map.get(keys)
        return {key: np.frombuffer(value[1:], f"<{value[:1].decode()}") for key, value in found.items()}

    def put(self, rows: Mapping[str, NDArray[np.floating]]) -> None:
        """Keep rows of float32 or float64, all of them or, if the process dies, none.

        Raises `PgenError` if they cannot be written.
        """
        self._map.put(
            {
                key: row.dtype.char.encode() + row.astype(row.dtype.newbyteorder("<")).tobytes()
                for key, row in rows.items()
            }
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _opened, (self.path,)  # every process opens it for itself, once

    def close(self) -> None:
        self._map.close()


@lru_cache(maxsize=1)
def _opened(path: Path) -> ScoreCache:
    return ScoreCache(path)
