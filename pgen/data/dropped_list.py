"""The lists beside a prepared file: of photos that were left out, and of those whose annotations are doubtful."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from pgen.data.example import Drop
from pgen.data.inputs import read_start
from pgen.data.store_file import name_beside
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

_COLUMNS = ("name", "reason", "detail")


def dropped_path(out: Path) -> Path:
    """Where the list of dropped photos of the store ``out`` is written."""
    return name_beside(out, ".dropped.csv")


def doubts_path(out: Path) -> Path:
    """Where the list of what annotators doubt in the store ``out`` is written."""
    return name_beside(out, ".doubts.csv")


def check_lists(out: Path) -> None:
    """Raise `InputError` if another file than such a list lies where one of ``out`` is written."""
    header = ",".join(_COLUMNS).encode()
    for path in (dropped_path(out), doubts_path(out)):
        if os.path.lexists(path) and read_start(path, len(header)) != header:
            raise InputError(
                f"{path}, where photos are listed, is another file; move it, or choose another output", option="out"
            )


def write_list(path: Path, rows: Sequence[Drop]) -> Path | None:
    """Write one of these lists; one of an earlier run is replaced or removed."""
    if not rows:
        path.unlink(missing_ok=True)
        return None
    with atomic_write(path, overwrite=True) as aside, aside.open("w", -1, "utf-8", "replace", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *((row.name, row.reason, row.detail) for row in rows)])
    return path
