"""The rows and columns that hold what a mask shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def find_box(region: NDArray[np.bool_], margin: float) -> tuple[slice, slice]:
    """Rows and columns of ``region`` (H, W) with ``margin`` pixels around where there are any; of nothing, a pixel."""
    if not region.any():
        return slice(0, 1), slice(0, 1)
    ends = []
    for axis in (0, 1):
        found = np.flatnonzero(region.any(axis=1 - axis))
        ends.append(slice(max(0, int(found[0] - margin)), min(region.shape[axis], int(found[-1] + 1 + margin))))
    return ends[0], ends[1]
