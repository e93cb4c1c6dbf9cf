"""The guided filter: scores of labels that change where the colors of a picture do.

After He, Sun and Tang, "Guided Image Filtering" (2013), in its fast form (He and Sun, "Fast Guided Filter", 2015):
what links scores to colors is found on a small picture, and applied to a large one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


class GuidedFilter:
    """What the colors of a small picture say of scores of its pixels.

    Args:
        colors: (3, h, w), 0 to 1.
        radius: pixels; windows have ``2 · radius + 1`` a side.
        noise: variance of colors that is no border yet.
    """

    def __init__(self, colors: NDArray[np.float32], radius: int, noise: float) -> None:
        self._colors, self._radius = colors, radius
        self._means = self._average(colors)
        red, green, blue = colors
        pairs = self._average(np.stack([red * red, red * green, red * blue, green * green, green * blue, blue * blue]))
        red, green, blue = self._means
        pairs -= np.stack([red * red, red * green, red * blue, green * green, green * blue, blue * blue])
        pairs[[0, 3, 5]] += noise
        self._inverse = _invert_symmetric(pairs)

    def fit(self, scores: NDArray[np.float32], window: tuple[slice, slice]) -> NDArray[np.float32]:
        """Factors (4, h, w), so that ``scores`` are nearly the sum of the first three times the colors and the fourth.

        They are least squares over windows, and means over the windows that hold a pixel: smooth, so that they can be
        enlarged and applied to the colors of a larger picture. ``scores`` (h, w), such as probabilities of a label,
        are those of the rows and columns of ``window``, and so are the factors.
        """
        colors, means = self._colors[:, *window], self._means[:, *window]
        mean = self._average(scores)
        shared = self._average(scores * colors) - mean * means
        slopes = np.einsum("cdhw,dhw->chw", self._inverse[:, :, *window], shared)
        offset = mean - (slopes * means).sum(0)
        return self._average(np.concatenate([slopes, offset[None]]))

    def _average(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Means of planes (..., h, w) over windows."""
        size = 2 * self._radius + 1
        found = ndimage.uniform_filter1d(planes, size, -1, mode="nearest")
        return np.asarray(ndimage.uniform_filter1d(found, size, -2, mode="nearest"))


def _invert_symmetric(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverses (3, 3, h, w) of symmetric matrices, given by the six numbers (6, h, w) on and above their diagonals."""
    a, b, c, d, e, f = pairs
    cofactors = [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b]
    cofactors = np.stack(cofactors) / (a * cofactors[0] + b * cofactors[1] + c * cofactors[2])
    return cofactors[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3, *a.shape)
