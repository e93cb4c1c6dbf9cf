"""Named edits of a parsing map: what may be asked for, and what becomes of the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.body.edits.hair import HAIR, edit_hair
from pgen.body.edits.lower import LENGTHS, LOWER, edit_lower, find_lower_garment
from pgen.body.edits.neckline import NECKLINES, edit_neckline
from pgen.body.edits.sleeves import SLEEVES, edit_sleeves
from pgen.body.labels import Label
from pgen.body.limb_fields import leg_chains
from pgen.errors import InputError

#: The edits and the values by name that each takes; sleeves and length also take a share of the limb, 0 to 1.
EDITS: dict[str, tuple[str, ...]] = {
    "sleeves": tuple(SLEEVES),
    "lower": tuple(LOWER),
    "length": tuple(LENGTHS),
    "neckline": tuple(NECKLINES),
    "hair": HAIR,
}
_SHARES = ("sleeves", "length")

_ROUNDS = 5  #: more than any map has needed


@dataclass(frozen=True)
class EditedParsing:
    """A new map, uint8 (H, W), and what had to be assumed for it."""

    parsing: NDArray[np.uint8]
    warnings: tuple[str, ...]


def check_edits(edits: Mapping[str, str | float]) -> dict[str, str | float]:
    """``edits``, with shares of a limb as numbers. Raises `InputError` naming an edit or value that is unknown."""
    checked: dict[str, str | float] = {}
    for name, value in edits.items():
        if name not in EDITS:
            raise InputError(f"edit {name!r} is unknown; choose of {', '.join(EDITS)}")
        checked[name] = value if value in EDITS[name] else _share(name, value)
    return checked


def edit_parsing(
    parsing: NDArray[np.uint8], pose: NDArray[np.floating], edits: Mapping[str, str | float]
) -> EditedParsing:
    """``parsing`` (H, W) of a person in ``pose`` (18, 2) with all ``edits``, such as ``{"sleeves": "long"}``.

    They are made in the order of `EDITS`, whatever their order in the mapping.

    Raises:
        InputError: an unknown edit or value, or one that the picture or pose shows too little for.
    """
    wanted = check_edits(edits)
    warnings = []
    if "sleeves" in wanted:
        sleeves = _length(wanted["sleeves"], SLEEVES)
        parsing = _settled(lambda parsing: edit_sleeves(parsing, pose, sleeves), parsing)
    if "lower" in wanted or "length" in wanted:
        kind, usual = LOWER.get(str(wanted.get("lower")), (find_lower_garment(parsing), 0.0))
        if kind is None:
            raise InputError("the length cannot be edited: the map shows neither pants nor skirt; name lower= as well")
        length = _length(wanted["length"], LENGTHS) if "length" in wanted else usual
        garment = Label(kind)
        parsing = _settled(lambda parsing: edit_lower(parsing, pose, garment, length), parsing)
        _, assumed = leg_chains(pose)
        if assumed:
            warnings.append(f"{', '.join(assumed)} missing: the legs are assumed to continue straight on")
    if "neckline" in wanted:
        parsing = edit_neckline(parsing, pose, str(wanted["neckline"]))
    if "hair" in wanted:
        parsing = edit_hair(parsing, pose, str(wanted["hair"]))
    return EditedParsing(parsing, tuple(warnings))


def _settled(edit: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``parsing`` edited until nothing changes: a pixel that was given away may join others to a limb or a skirt."""
    for _ in range(_ROUNDS):
        before, parsing = parsing, edit(parsing)
        if np.array_equal(before, parsing):
            break
    return parsing


def _share(name: str, value: str | float) -> float:
    choices = ", ".join(EDITS[name])
    if name not in _SHARES:
        raise InputError(f"{name}={value} is unknown; choose of {choices}")
    try:
        share = float(value)
    except ValueError:
        share = float("nan")
    if not 0 <= share <= 1:
        raise InputError(f"{name}={value} is unknown; choose of {choices}, or a share of the limb from 0 to 1")
    return share


def _length(value: str | float, names: Mapping[str, float]) -> float:
    """Position along the limb, 0 to 2, of a name or of a share of its length."""
    return names[value] if isinstance(value, str) else 2 * value
