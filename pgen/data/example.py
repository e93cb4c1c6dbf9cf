"""One annotated photo of a person, as the readers of data sets give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
#: Pixels that an `Example` may have beside its image and its parsing map.
MASKS = ("carried", "silhouette")


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
    carried: NDArray[np.uint8] | None = None  # (H, W), 1 where something is carried, such as a bag; None: not known
    silhouette: NDArray[np.uint8] | None = None  # (H, W), 0-255, estimated with the pose; None: the pose was given
    is_estimated: bool = False  # whether its parsing map is an estimate

    @property
    def masks(self) -> dict[str, Any]:
        """What is known of `MASKS`, uint8 (H, W), by name."""
        return {name: getattr(self, name) for name in MASKS if getattr(self, name) is not None}


@dataclass(frozen=True)
class Drop:
    """A photo of a data set that cannot be used, and why; or what a file names that is not there."""

    name: str
    reason: str  # the same words for all that are dropped for the same reason
    detail: str = ""  # what is special about this one


#: The attribute of an `Example` that says what its annotators doubt.
DOUBTS = "doubts"
#: The attribute that says which of several people is taken, where nobody said which.
CHOICE = "choice"

#: Reasons that are no photo's: files name what is not there.
ROW_WITHOUT_PHOTO = "row of keypoints without a photo"
NAME_WITHOUT_PHOTO = "listed, but there is no photo"
PAIR_WITHOUT_PHOTO = "pair with a photo that is not there"
PAIR_WITH_DROPPED_PHOTO = "pair with a photo that was dropped"


@dataclass(frozen=True)
class Job:
    """A photo that is yet to be read, in any process: ``read(*arguments)`` gives it.

    ``read`` is importable, and what it gives depends on ``arguments`` and the files among them alone: whoever has
    done a job does not do it again while those are the same. Arguments are paths, strings, numbers, None, arrays, and
    lists, mappings and dataclasses of them.
    """

    name: str
    read: Callable[..., Example | Drop]
    arguments: tuple[Any, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths among its arguments."""
        return tuple(argument for argument in self.arguments if isinstance(argument, Path))
