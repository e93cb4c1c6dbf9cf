"""From scores of labels in a network's small frame to a large parsing map, with outlines as smooth or as true there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.boxes import find_box
from pgen.body.guided_filter import GuidedFilter

Window = tuple[slice, slice]  # rows and columns
Part = tuple[float, float, float, float]  # of a small picture: left, top, right, bottom, in pixels
Enlarge = Callable[[NDArray[np.float32], Window, Window, Part], NDArray[np.float32]]

# Windows of the guided filter, as a share of the longer side of the scores, and the variance of colors (0 to 1) that
# is no border: on 79 photos with true labels neighbouring values do as well.
_RADIUS, _NOISE = 0.009, 1e-3


def enlarge_labels(
    scores: NDArray[np.float32], size: tuple[int, int], picture: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The labels (H, W) of the highest of ``scores`` (labels, h, w), enlarged to ``size`` (H, W).

    Scores are enlarged, not labels, so that outlines are smooth. If they are probabilities and ``picture`` (H, W, 3)
    is given, outlines lie where its colors change.
    """
    ids, best = np.zeros(size, np.uint8), np.full(size, -np.inf, np.float32)
    highest = scores.argmax(0)
    figure = highest > 0
    if not figure.any():
        return ids
    radius = max(1, round(_RADIUS * max(figure.shape)))
    enlarge = _interpolate if picture is None else _follow_colors(picture, (figure.shape[0], figure.shape[1]), radius)
    for label in np.flatnonzero(np.bincount(highest.ravel())):
        # Between pixels of which one label is the highest it is the highest too, as is background far from the figure.
        small = find_box(figure if label == 0 else highest == label, 2 * radius + 1)
        large, part = _scale_window(small, figure.shape, size)
        found = enlarge(scores[label], small, large, part)
        higher = found > best[large]
        ids[large][higher], best[large][higher] = label, found[higher]
    return ids


def _interpolate(scores: NDArray[np.float32], small: Window, large: Window, part: Part) -> NDArray[np.float32]:
    """What ``part`` of the ``small`` window of scores (h, w) is in the ``large`` window."""
    return _resize(scores[small], large, part)


def _follow_colors(picture: NDArray[np.uint8], size: tuple[int, int], radius: int) -> Enlarge:
    """`_interpolate`, but with borders where ``picture``, as large as the result, has them; scores are of ``size``."""
    small_picture = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BOX)
    guide = GuidedFilter(_to_planes(np.asarray(small_picture)), radius, _NOISE)

    def enlarge(scores: NDArray[np.float32], small: Window, large: Window, part: Part) -> NDArray[np.float32]:
        *slopes, found = (_resize(factor, large, part) for factor in guide.fit(scores[small], small))
        for slope, color in zip(slopes, _to_planes(picture[large]), strict=True):
            found = found + slope * color
        return found

    return enlarge


def _to_planes(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / np.float32(255)


def _scale_window(small: Window, sizes: tuple[int, ...], large: tuple[int, int]) -> tuple[Window, Part]:
    """The pixels of a picture of the size ``large`` that show a window of one of ``sizes``, and as a part of that."""
    windows, low, high = [], [], []
    for span, side, length in zip(small, sizes, large, strict=True):
        scale = length / side
        first = min(int(np.ceil(span.start * scale)), length - 1)
        end = max(int(span.stop * scale), first + 1)  # of a tiny picture one pixel shows more than the window
        windows.append(slice(first, end))
        # Within the window, which rounding may lead out of.
        low.append(min(max(first / scale, span.start), span.stop - 1) - span.start)
        high.append(min(end / scale, span.stop) - span.start)
    return (windows[0], windows[1]), (low[1], low[0], high[1], high[0])


def _resize(plane: NDArray[np.float32], large: Window, part: Part) -> NDArray[np.float32]:
    size = (large[1].stop - large[1].start, large[0].stop - large[0].start)
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, part))
