"""Lists of photos and of pairs of photos, in all the forms that the field has."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pgen.data.inputs import read_text
from pgen.errors import InputError


def read_names(path: str | os.PathLike[str]) -> list[str]:
    """The names in ``path`` (train.lst, test.lst, SPT's lists), one a line. Raises `InputError`."""
    names = [line.strip() for line in read_text(path, "a list of photos").splitlines()]
    if any("\0" in name for name in names):
        raise InputError(f"{path} is not a list of names, one a line")
    return [name for name in names if name]


def read_pairs(paths: Sequence[str | os.PathLike[str]]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The (source, target) names in ``paths``, and what had to be assumed.

    One file: CSV with the header ``from,to``, or PIDM's text without header, the target first. Two files: SPT's
    parallel lists, one name a line, the sources in the first. Raises `InputError` naming the file and row.
    """
    if len(paths) == 2:
        pairs, notes = _read_parallel_lists(*map(Path, paths)), tuple[str, ...]()
    elif len(paths) == 1:
        pairs, notes = _read_one(Path(paths[0]))
    else:
        raise InputError("pairs are one file, or two: the list of the sources, then of the targets", option="pairs")
    if not pairs:
        raise InputError(f"{paths[0]} holds no pair; give another list, or leave it out", option="pairs")
    return pairs, notes


def _read_one(path: Path) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    lines = read_text(path, "a list of pairs").splitlines()
    first = next((line for line in lines if line.strip()), "")
    if path.suffix.lower() == ".csv" or _is_header(first.replace('"', "").split(",")):
        return _parse_csv(lines, path), ()
    note = f"{path} has no header, so it is read as PIDM's lists are: the target before the source"
    return _parse_target_first(lines, path), (note,)


def _is_header(fields: Sequence[str]) -> bool:
    return [field.strip().lower() for field in fields] == ["from", "to"]


def _parse_csv(lines: list[str], path: Path) -> list[tuple[str, str]]:
    rows = csv.reader(lines)
    pairs: list[tuple[str, str]] = []
    try:
        if not _is_header(next(rows, [])):
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


def _read_parallel_lists(sources: Path, targets: Path) -> list[tuple[str, str]]:
    first, second = read_names(sources), read_names(targets)
    if len(first) != len(second):
        raise InputError(
            f"{sources} has {len(first)} names and {targets} {len(second)}; parallel lists have as many, one a line"
        )
    for path, names in ((sources, first), (targets, second)):
        if names and all("," in name for name in names):
            raise InputError(f"{path} has a comma in each row; of two lists of pairs each has one name a line")
    return list(zip(first, second, strict=True))


def _parse_target_first(lines: list[str], path: Path) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(lines, start=1):
        names = [name.strip() for name in line.split(",")]
        if names == [""]:
            continue
        if len(names) != 2 or not all(names) or "\0" in line:
            hint = "; of two parallel lists give both, the sources first" if len(names) == 1 else ""
            raise InputError(f"{path}, row {number}: not of the form TARGET,SOURCE{hint}")
        pairs.append((names[1], names[0]))
    return pairs
