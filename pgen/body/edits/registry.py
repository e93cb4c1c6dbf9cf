"""The edits of a parsing map that there are: what may be asked for, and what becomes of the map.

A new edit is a file of its own and an entry in `EDITS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pgen.body.edits.hair import HAIR, edit_hair
from pgen.body.edits.lower import LENGTHS, LOWER, edit_lower, warn_of_assumed_legs
from pgen.body.edits.neckline import NECKLINES, edit_neckline
from pgen.body.edits.settle import ParsingMap, Pose, Settings
from pgen.body.edits.sleeves import SLEEVES, edit_sleeves
from pgen.errors import InputError


@dataclass(frozen=True)
class Edit:
    """One edit. Done twice, it changes nothing more; an `InputError` says that map or pose show too little for it."""

    choices: tuple[str, ...]  #: values by name
    apply: Callable[[ParsingMap, Pose, Settings], ParsingMap]
    #: A new map, uint8 (H, W), of a map, a pose (18, 2) of (x, y) in its pixels, and all that is asked for.
    takes_share: bool = False  #: values may also be a share of the limb's length, 0 to 1
    warn: Callable[[Pose], list[str]] = lambda pose: []  #: what has to be assumed of a pose


#: In the order in which they are made.
EDITS: dict[str, Edit] = {
    "sleeves": Edit(tuple(SLEEVES), edit_sleeves, takes_share=True),
    "lower": Edit(tuple(LOWER), edit_lower, warn=warn_of_assumed_legs),
    "length": Edit(tuple(LENGTHS), edit_lower, takes_share=True, warn=warn_of_assumed_legs),
    "neckline": Edit(tuple(NECKLINES), edit_neckline),
    "hair": Edit(HAIR, edit_hair),
}


def check_edits(edits: Settings) -> dict[str, str | float]:
    """``edits``, with shares of a limb as numbers. Raises `InputError` naming an edit or value that is unknown."""
    checked: dict[str, str | float] = {}
    if not isinstance(edits, Mapping):
        raise InputError(f"edits are a mapping of names to values, such as {{'sleeves': 'long'}}, not {edits!r}")
    for name, value in edits.items():
        if name not in EDITS:
            raise InputError(f"edit {name!r} is unknown; choose one of {', '.join(EDITS)}")
        edit = EDITS[name]
        if value in edit.choices:
            checked[name] = value
            continue
        try:
            share = float(value)
        except (TypeError, ValueError):
            share = float("nan")
        if not edit.takes_share or not 0 <= share <= 1:
            choices = ", ".join(edit.choices) + (", or a share of the limb from 0 to 1" if edit.takes_share else "")
            raise InputError(f"{name}={value} is unknown; choose one of {choices}")
        checked[name] = share
    return checked


def edit_parsing(parsing: ParsingMap, pose: Pose, edits: Settings) -> tuple[ParsingMap, list[str]]:
    """``parsing`` (H, W) of a person in ``pose`` (18, 2) with all ``edits``, and what had to be assumed for them.

    They are made in the order of `EDITS`, whatever their order in the mapping. Raises `InputError` for an unknown edit
    or value, or one that the picture or pose shows too little for.
    """
    wanted = check_edits(edits)
    chosen = [edit for name, edit in EDITS.items() if name in wanted]
    for apply in dict.fromkeys(edit.apply for edit in chosen):
        parsing = apply(parsing, pose, wanted)
    return parsing, list(dict.fromkeys(warning for edit in chosen for warning in edit.warn(pose)))
