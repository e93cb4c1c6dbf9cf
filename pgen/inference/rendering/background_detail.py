"""Detail for what is filled in: a coarse copy of a photo is filled, and lacks what is finer."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice]

#: Detail comes in squares of so many pixels of the copy, which lie over each other by so many.
_SQUARE, _OVERLAP = 8, 2
#: A difference in height of the whole photo counts as one in color of so many shades of 256.
_HEIGHT = 80.0
_EVERY = 4  # one square in so many is looked at: its neighbors show nearly the same
_TOGETHER = 64  # squares that are looked up together, to save memory
_NONE = 1e-6


def find_detail(image: Picture, enlarged: Picture, filled: Picture, hole: Mask, box: Box) -> NDArray[np.float32]:
    """What ``enlarged`` lacks within ``box`` of ``image``, (height, width, 3), from where the photo looks alike.

    ``image`` and ``enlarged`` are (H, W, 3); ``filled`` (h, w, 3) is the copy that was enlarged, and ``hole`` (h, w)
    where it does not show the photo. There is none away from the hole, nor if nothing else is seen.
    """
    side = min(_SQUARE, *hole.shape)
    needs = np.asarray(sliding_window_view(hole, (side, side)).any((2, 3)))
    known, wanted = np.argwhere(~needs)[::_EVERY], _list_squares(needs, max(1, side - _OVERLAP))
    rows, columns = box
    detail = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 3), np.float32)
    if not len(known):
        return detail
    energy = np.full((*detail.shape[:2], 1), _NONE, np.float32)
    scale = np.array(image.shape[:2]) / hole.shape
    size = np.rint(side * scale).astype(int)
    window = _make_window(size, _OVERLAP * scale)
    alike = known[_find_alike(filled, wanted, known, side)]
    last = image.shape[:2] - size
    places = (np.minimum(np.rint(squares * scale).astype(int), last) for squares in (wanted, alike))
    for place, other in zip(*places, strict=True):
        first = np.maximum(place, (rows.start, columns.start))
        end = np.minimum(place + size, (rows.stop, columns.stop))
        if (first < end).all():
            to = _slices(first - (rows.start, columns.start), end - (rows.start, columns.start))
            part = window[_slices(first - place, end - place)]
            source = _slices(first - place + other, end - place + other)
            detail[to] += part * (image[source].astype(np.float32) - enlarged[source])
            energy[to] += part**2
    # Where squares lie over each other, what they show differs: such a sum is as strong as one of them by this root.
    return np.asarray(detail / np.sqrt(energy), np.float32)


def _list_squares(needs: Mask, step: int) -> NDArray[np.int_]:
    """Upper left corners (N, 2) of squares in rows and columns, those where there is ``needs``."""
    rows, columns = (np.unique(np.minimum(np.arange(0, n - 1 + step, step), n - 1)) for n in needs.shape)
    corners = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    return corners[needs[tuple(corners.T)]]


def _find_alike(filled: Picture, wanted: NDArray[np.int_], known: NDArray[np.int_], side: int) -> NDArray[np.int_]:
    """For each square (N, 2) of ``wanted``, which of ``known`` (M, 2) in ``filled`` looks most like it: (N,)."""
    squares = sliding_window_view(filled, (side, side), (0, 1))
    height = _HEIGHT * np.sqrt(3.0) * side / len(filled)
    theirs, ours = (
        np.concatenate(
            [squares[tuple(corners.T)].reshape(len(corners), -1), height * corners[:, :1]], 1, dtype=np.float32
        )
        for corners in (known, wanted)
    )
    lengths = np.square(theirs).sum(1)
    # Of squared distances, what depends on the other square.
    parts = [
        (lengths - 2 * ours[start : start + _TOGETHER] @ theirs.T).argmin(1) for start in range(0, len(ours), _TOGETHER)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, int)


def _make_window(size: NDArray[np.int_], overlap: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much of a square's pixels counts, (height, width, 1): less where others lie over it."""
    ramps = [
        np.minimum(1, np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)) / (wide + 1))
        for n, wide in zip(size, overlap, strict=True)
    ]
    return np.multiply.outer(*ramps)[..., None].astype(np.float32)


def _slices(first: NDArray[np.int_], end: NDArray[np.int_]) -> Box:
    (top, left), (bottom, right) = first.tolist(), end.tolist()
    return slice(top, bottom), slice(left, right)
