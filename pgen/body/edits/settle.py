"""Edits done until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_MOST_ROUNDS = 20  #: more than any map has needed


def settle(edit: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``parsing`` edited again and again: a pixel that was given away may join others to a limb or a skirt."""
    for _ in range(_MOST_ROUNDS):
        before, parsing = parsing, edit(parsing)
        if np.array_equal(before, parsing):
            break
    return parsing
