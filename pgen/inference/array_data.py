"""Data classes that hold arrays: equal by content, and hashable, so that they can be keys of a cache."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np


class ArrayData:
    """Base of frozen data classes with arrays, declared with ``eq=False``: comparing arrays one by one would raise."""

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return all(_are_equal(mine, theirs) for mine, theirs in zip(_values(self), _values(other), strict=True))

    def __hash__(self) -> int:
        return hash(tuple(value.shape if isinstance(value, np.ndarray) else value for value in _values(self)))


def _values(data: Any) -> list[Any]:
    return [getattr(data, field.name) for field in fields(data)]


def _are_equal(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first is second or np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return bool(first == second)
