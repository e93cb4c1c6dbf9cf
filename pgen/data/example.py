"""One annotated photo of a person, as the readers of data sets give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Example:
    """One annotated photo of a person."""

    name: str
    image: NDArray[np.uint8]  # (H, W, 3) RGB
    parsing: NDArray[np.uint8]  # (H, W) label ids 0-9
    pose: NDArray[np.float32]  # (18, 2) (x, y) in pixels, NaN = missing
    person: str  # who it is; the same for all photos of one person
    split: Split = "train"
    attributes: Mapping[str, str] = field(default_factory=dict)  # what is known, such as {"sleeves": "short"}


@dataclass(frozen=True)
class Drop:
    """A photo of a data set that cannot be used, and why."""

    name: str
    reason: str  # the same words for all photos that are dropped for the same reason
    detail: str = ""  # what is special about this one
