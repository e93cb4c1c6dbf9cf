"""What has been measured before, kept in a file, so that an interrupted evaluation goes on where it was."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError, PgenError

_AT_ONCE = 500  # keys in one question to the database


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
            self._database = sqlite3.connect(path, timeout=60)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = normal")
            self._database.execute("create table if not exists rows (key text primary key, value blob) without rowid")
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{path} cannot be used to keep scores ({error}); remove it, or name another with --cache"
            ) from error

    def get(self, keys: Sequence[str]) -> dict[str, NDArray[np.floating]]:
        """The rows that are there of those asked for, as they were kept: float32 or float64 (K,)."""
        found: dict[str, NDArray[np.floating]] = {}
        for start in range(0, len(keys), _AT_ONCE):
            asked = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(asked))
            rows = self._database.execute(f"select key, value from rows where key in ({marks})", asked)
            found.update((key, np.frombuffer(value[1:], f"<{value[:1].decode()}")) for key, value in rows)
        return found

    def put(self, rows: Mapping[str, NDArray[np.floating]]) -> None:
        """Keep rows of float32 or float64, all of them or, if the process dies, none.

        Raises `PgenError` if they cannot be written.
        """
        values = [
            (key, row.dtype.char.encode() + row.astype(row.dtype.newbyteorder("<")).tobytes())
            for key, row in rows.items()
        ]
        try:
            with self._database:
                self._database.executemany("insert or replace into rows values (?, ?)", values)
        except sqlite3.OperationalError as error:
            raise PgenError(f"{self.path}: scores could not be kept ({error})") from error

    def __reduce__(self) -> tuple[object, ...]:
        return _opened, (self.path,)  # every process opens it for itself, once

    def close(self) -> None:
        self._database.close()


@lru_cache(maxsize=1)
def _opened(path: Path) -> ScoreCache:
    return ScoreCache(path)
