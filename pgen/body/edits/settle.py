"""What edits are given, and doing one until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

ParsingMap = NDArray[np.uint8]  #: (H, W), label ids
Pose = NDArray[np.floating]  #: (18, 2), (x, y) in the map's pixels, NaN = missing
Mask = NDArray[np.bool_]  #: (H, W)

#: What is asked for, by the names of edits: one of an edit's choices, or a share of a limb's length.
Settings = Mapping[str, str | float]

_MOST_ROUNDS = 20  #: more than any map has needed


def settle(edit: Callable[[ParsingMap], ParsingMap], parsing: ParsingMap) -> ParsingMap:
    """``parsing`` edited again and again: a pixel that was given away may join others to a limb or a skirt."""
    for _ in range(_MOST_ROUNDS):
        before, parsing = parsing, edit(parsing)
        if np.array_equal(before, parsing):
            break
    return parsing
