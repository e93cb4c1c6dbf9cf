"""The list of photos that were left out of a prepared file, beside it."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from pgen.data.example import Drop
from pgen.data.inputs import read_start
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

_COLUMNS = ("name", "reason", "detail")


def dropped_path(out: Path) -> Path:
    """Where the list of dropped photos of the store ``out`` is written."""
    return out.with_suffix(".dropped.csv")


def check_dropped_list(out: Path) -> None:
    """Raise `InputError` if another file than such a list lies where that of ``out`` is written."""
    path, header = dropped_path(out), ",".join(_COLUMNS).encode()
    if os.path.lexists(path) and read_start(path, len(header)) != header:
        raise InputError(
            f"{path}, where photos that are left out are listed, is another file; move it, or choose another output",
            option="out",
        )


def write_dropped_list(out: Path, dropped: Sequence[Drop]) -> Path | None:
    """Write the list that belongs to ``out``; one of an earlier run is replaced or removed."""
    path = dropped_path(out)
    if not dropped:
        path.unlink(missing_ok=True)
        return None
    with atomic_write(path, overwrite=True) as aside, aside.open("w", -1, "utf-8", "replace", newline="") as file:
        rows = [(drop.name, drop.reason, drop.detail) for drop in dropped]
        csv.writer(file).writerows([_COLUMNS, *rows])
    return path
