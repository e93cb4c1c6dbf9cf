"""Label conventions of parsing maps: the tables in ``schemes/``, one a scheme, or a user's own TOML file.

A table says for each id of the scheme what it becomes among this project's ten labels; ``schemes/spt10.toml`` explains
the rows. A file may begin with ``extends = "lip20"`` and give only the rows that differ.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.labels import LABEL_COUNT, LABELS, PALETTE, Label
from pgen.body.sides import ARM, LEG
from pgen.data.inputs import read_text
from pgen.data.names import suggest_names
from pgen.errors import InputError

DRESS, SKIN = "dress", "skin"
#: What an id may become besides a label; the pose decides (`pgen.data.formats.parsing_merge`).
RULES = (DRESS, ARM, LEG, SKIN)

_FOLDER = Path(__file__).parent / "schemes"
SCHEMES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
DEFAULT_SCHEME = "spt10"

_MOST_IDS = 256
_DEEPEST = 8  # files that extend one another
_KEYS = {"extends", "labels", "palettes", "carried"}

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ParsingScheme:
    """What the ids of a parsing map mean."""

    name: str
    merges: Mapping[int, str]  # by id: the label or rule that it becomes
    palettes: Mapping[str, tuple[Colour, ...]]  # colours of the ids 0, 1, 2, ... by the palette's name
    carried: frozenset[int] | None = None  # ids of things that are carried; None: the scheme does not tell them apart

    def unknown(self, ids: NDArray[np.integer]) -> NDArray[np.integer]:
        """The values among ``ids`` that the scheme does not have, sorted."""
        if ids.size and ids.min() >= 0 and ids.max() < _MOST_IDS:
            values = np.flatnonzero(np.bincount(ids.ravel(), minlength=1))  # much faster than sorting
        else:
            values = np.unique(ids)
        return values[~np.isin(values, list(self.merges))]

    def ids_becoming(self, *targets: str) -> list[int]:
        """The ids that become one of these labels or rules."""
        return [value for value, target in self.merges.items() if target in targets]


def load_scheme(spec: str | os.PathLike[str] = DEFAULT_SCHEME) -> ParsingScheme:
    """The scheme called ``spec``, or that of the TOML file ``spec``.

    Raises `InputError` if there is none, or naming the row of the file that is wrong.
    """
    return _bundled(os.fspath(spec)) if os.fspath(spec) in SCHEMES else _load(Path(spec), _DEEPEST)


def schemes_with(ids: NDArray[np.integer]) -> list[str]:
    """Names of the schemes of the package that have all of ``ids``."""
    return [name for name in SCHEMES if not _bundled(name).unknown(ids).size]


@cache
def _bundled(name: str) -> ParsingScheme:
    return _load(_FOLDER / f"{name}.toml", _DEEPEST)


def _load(path: Path, depth: int) -> ParsingScheme:
    if not path.suffix and not path.exists():
        close = suggest_names(str(path), SCHEMES)
        raise InputError(f"the parsing scheme {path} is neither {', '.join(SCHEMES)}, nor a TOML file{close}")
    content = _parse(path)
    if content.keys() - _KEYS:
        raise InputError(f"{path}: {min(content.keys() - _KEYS)!r} is not one of {', '.join(sorted(_KEYS))}")
    merges: dict[int, str] = {}
    palettes: dict[str, tuple[Colour, ...]] = {}
    carried: frozenset[int] | None = None
    if "extends" in content:
        base = _base(content["extends"], path, depth)
        merges |= base.merges
        palettes |= base.palettes
        carried = base.carried
    merges |= _merges(content.get("labels", {}), path)
    palettes |= _palettes(content.get("palettes", {}), path)
    if path.parent == _FOLDER and path.stem == DEFAULT_SCHEME:
        palettes["pgen"] = tuple((int(red), int(green), int(blue)) for red, green, blue in PALETTE)
    if not merges:
        raise InputError(f'{path} has no labels; a row is ID = ["NAME", "LABEL"] under [labels]')
    if "carried" in content:
        carried = _carried(content["carried"], merges, path)
    return ParsingScheme(path.stem if path.parent == _FOLDER else str(path), merges, palettes, carried)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path, "a parsing scheme (TOML)", limit=2**20))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {' '.join(str(error).split())[:120]}") from error


def _base(extends: Any, path: Path, depth: int) -> ParsingScheme:
    if not isinstance(extends, str) or "\0" in extends:
        raise InputError(f"{path}: extends is the name of a scheme ({', '.join(SCHEMES)}) or a file")
    if extends in SCHEMES:
        return _bundled(extends)
    if depth == 0:
        raise InputError(f"{path}: schemes that extend one another more than {_DEEPEST} times")
    try:
        return _load(path.parent / extends, depth - 1)
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path} extends {error}") from None


def _merges(rows: Any, path: Path) -> dict[int, str]:
    if not isinstance(rows, dict):
        raise InputError(f'{path}: [labels] holds rows ID = ["NAME", "LABEL"]')
    merges = {}
    for key, row in rows.items():
        if not (key.isascii() and key.isdigit() and len(key) < 4 and int(key) < _MOST_IDS):
            raise InputError(f"{path}: {key!r} under [labels] is not an id from 0 to {_MOST_IDS - 1}")
        if not (isinstance(row, list) and len(row) == 2 and all(isinstance(part, str) for part in row)):
            raise InputError(f'{path}: label {key} is not of the form ["NAME", "LABEL"]')
        if row[1] not in (*LABELS, *RULES):
            raise InputError(f"{path}: label {key} becomes {row[1]!r}, not one of {', '.join((*LABELS, *RULES))}")
        merges[int(key)] = row[1]
    return merges


def _carried(ids: Any, merges: Mapping[int, str], path: Path) -> frozenset[int]:
    if not isinstance(ids, list) or not all(type(value) is int for value in ids):
        raise InputError(f"{path}: carried is a list of ids")
    for value in ids:
        if merges.get(value) != LABELS[Label.BACKGROUND]:
            raise InputError(f"{path}: what is carried becomes background, and label {value} does not")
    return frozenset(ids)


def _palettes(tables: Any, path: Path) -> dict[str, tuple[Colour, ...]]:
    if not isinstance(tables, dict):
        raise InputError(f"{path}: [palettes] holds lists of colours by name")
    found = {}
    for name, colours in tables.items():
        if not (isinstance(colours, list) and 0 < len(colours) <= _MOST_IDS and all(map(_is_colour, colours))):
            raise InputError(f"{path}: palette {name!r} is not a list of colours [RED, GREEN, BLUE], 0 to 255")
        if len({tuple(colour) for colour in colours}) < len(colours):
            raise InputError(f"{path}: palette {name!r} has a colour twice, which cannot be told apart")
        found[name] = tuple((colour[0], colour[1], colour[2]) for colour in colours)
    return found


def _is_colour(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(part) is int and 0 <= part < 256 for part in value)


def label_table(scheme: ParsingScheme) -> NDArray[np.uint8]:
    """What each id becomes: uint8 (256,), label ids, or ``LABEL_COUNT`` + the index in `RULES`."""
    order = (*LABELS, *RULES)
    table = np.full(_MOST_IDS, LABEL_COUNT + len(RULES), np.uint8)
    for value, target in scheme.merges.items():
        table[value] = order.index(target)
    return table
