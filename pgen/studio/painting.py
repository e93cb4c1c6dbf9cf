"""Parsing maps as a page shows and paints them, reduced, and those of the photos, which they change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.labels import LABEL_COUNT
from pgen.errors import InputError

#: Pixels of the longer side of a photo and a map on the page.
LARGEST = 1024

ParsingMap = NDArray[np.uint8]


def fit_display(size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) at which a photo of ``size`` is shown: its own, or reduced to `LARGEST`."""
    scale = min(1.0, LARGEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink_labels(parsing: ParsingMap, size: tuple[int, int]) -> ParsingMap:
    """The map (H, W) at ``size`` (height, width): the label at the middle of each pixel."""
    rows, columns = (_find_nearest(len_, want) for len_, want in zip(parsing.shape, size, strict=True))
    return np.ascontiguousarray(parsing[np.ix_(rows, columns)])


def paint_labels(parsing: ParsingMap, painted: ParsingMap) -> ParsingMap:
    """The map (H, W) with what is painted in a reduced copy of it; all else keeps its fine outlines.

    Raises `InputError` if ``painted`` is not of the size at which the map is shown, or has other labels.
    """
    size = fit_display((parsing.shape[0], parsing.shape[1]))
    if painted.shape != size or painted.max(initial=0) >= LABEL_COUNT:
        raise InputError("what was painted does not belong to this photo; open the photo again", option="parsing")
    changed = painted != shrink_labels(parsing, size)
    rows, columns = (_find_nearest(len_, want) for len_, want in zip(size, parsing.shape, strict=True))
    places = np.ix_(rows, columns)
    return np.where(changed[places], painted[places], parsing)


def _find_nearest(length: int, wanted: int) -> NDArray[np.intp]:
    """For each of ``wanted`` pixels along a side, which of ``length`` pixels lies at its middle."""
    return ((np.arange(wanted) + 0.5) * length / wanted).astype(np.intp).clip(max=length - 1)
