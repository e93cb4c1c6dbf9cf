"""Pair lists in CSV: header ``from,to``, a source and a target photo a row."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable

from pgen.data.inputs import decode_text, read_bytes
from pgen.errors import InputError


def read_pairs_csv(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """The (source, target) names of each row of ``path``. Raises `InputError` naming the row."""
    rows = csv.reader(decode_text(read_bytes(path, "a list of pairs"), path).splitlines())
    pairs: list[tuple[str, str]] = []
    try:
        header = [field.strip() for field in next(rows, [])]
        if header != ["from", "to"]:
            raise InputError(f"{path}, row 1: a list of pairs begins with the header from,to")
        for row in rows:
            names = [field.strip() for field in row]
            if not any(names):
                continue
            if len(names) != 2 or not all(names):
                raise InputError(f"{path}, row {rows.line_num}: not of the form SOURCE,TARGET")
            pairs.append((names[0], names[1]))
    except csv.Error as error:
        raise InputError(f"{path}, row {rows.line_num}: {error}") from error
    return pairs


def group_linked(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The name that stands for all that are linked with it, directly or through others, by each name."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = name = parents[parents[name]]
        return name

    for first, second in links:
        low, high = sorted((root(first), root(second)))
        parents[high] = low
    return {name: root(name) for name in parents}
