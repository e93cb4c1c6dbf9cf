"""More of the cloth or hair that a photo shows, to fill new parts of a garment with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Rectangles are looked for among so many pixels of the longer side, and must have sides of so many of these.
_COARSE, _SMALLEST = 128, 4


def extend_texture(image: NDArray[np.uint8], region: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """A picture (H, W, 3) all over of what ``image`` (H, W, 3) shows in ``region`` (H, W).

    The largest rectangle inside of the region, in place, and mirrored over and over around it. None if the region is
    too small to hold one.
    """
    step = max(1, round(max(region.shape) / _COARSE))
    height, width = (side // step * step for side in region.shape)
    blocks = region[:height, :width].reshape(height // step, step, width // step, step).all(axis=(1, 3))
    top, left, bottom, right = largest_rectangle(np.asarray(blocks))
    if min(bottom - top, right - left) < _SMALLEST:
        return None
    rows = _mirror_index(region.shape[0], top * step, bottom * step)
    columns = _mirror_index(region.shape[1], left * step, right * step)
    return np.asarray(image[np.ix_(rows, columns)])


def largest_rectangle(region: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Top, left, bottom and right (the last two not included) of the largest rectangle within ``region`` (H, W).

    All zero if the region is empty.
    """
    best, largest = (0, 0, 0, 0), 0
    heights = np.zeros(region.shape[1] + 1, int)
    for row, filled in enumerate(region):
        heights[:-1] = np.where(filled, heights[:-1] + 1, 0)
        # Columns whose rectangles are still open, in the order of their heights: the classic stack.
        begun: list[tuple[int, int]] = []
        for column, height in enumerate(heights.tolist()):
            start = column
            while begun and begun[-1][1] >= height:
                start, tall = begun.pop()
                if tall * (column - start) > largest:
                    largest = tall * (column - start)
                    best = (row + 1 - tall, start, row + 1, column)
            begun.append((start, height))
    return best


def _mirror_index(length: int, first: int, last: int) -> NDArray[np.int_]:
    """Index into ``first`` to ``last`` for each of ``length`` places: the same within, going to and fro beyond."""
    span = last - first
    phase = (np.arange(length) - first) % (2 * span)
    return np.asarray(first + np.where(phase < span, phase, 2 * span - 1 - phase))
