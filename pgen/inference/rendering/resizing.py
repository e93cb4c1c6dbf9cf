"""Pictures, maps and masks at another size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resize(array: NDArray[np.uint8], size: Sequence[int], method: Image.Resampling) -> NDArray[np.uint8]:
    """``array`` (H, W) or (H, W, 3) at ``size`` (height, width)."""
    height, width = size
    if array.shape[:2] == (height, width):
        return array
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize((width, height), method))


def resize_mask(
    mask: NDArray[np.bool_],
    size: Sequence[int],
    method: Image.Resampling = Image.Resampling.BILINEAR,
    least: float = 0.5,
) -> NDArray[np.bool_]:
    """``mask`` (H, W) at ``size`` (height, width): where a share of at least ``least`` of what is seen is of it."""
    return resize(mask.astype(np.uint8) * 255, size, method) >= 255 * least
