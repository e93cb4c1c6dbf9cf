"""A z-buffer in numpy: triangles to fragments, fragments to the nearest one a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.synthetic import Array, Indices, Mask


@dataclass(frozen=True)
class Fragments:
    """Samples of triangles at pixel centers, N of them."""

    pixel: NDArray[np.int64]  # (N,) row-major pixel index
    face: NDArray[np.int64]  # (N,) which triangle
    weights: NDArray[np.float32]  # (N, 3) barycentric

    def __getitem__(self, chosen: NDArray[np.generic]) -> Fragments:
        return Fragments(self.pixel[chosen], self.face[chosen], self.weights[chosen])

    def interpolate(self, values: Array, faces: Indices) -> NDArray[np.float32]:
        """Vertex values (V,) or (V, C) at the fragments: (N,) or (N, C)."""
        corners = faces[self.face]
        weights = self.weights if values.ndim == 1 else self.weights[:, :, None]
        result = values[corners[:, 0]] * weights[:, 0]
        for corner in (1, 2):
            result += values[corners[:, corner]] * weights[:, corner]
        return result


def rasterize(points: Array, faces: Indices, size: tuple[int, int], two_sided: Mask | None = None) -> Fragments:
    """All samples of triangles ``faces`` (F, 3) of ``points`` (V, 2) in a frame of ``size`` (height, width).

    Points are (x, y) in pixels, pixel centers at integer coordinates. Front faces run anticlockwise as seen (y down);
    the others are left out unless ``two_sided`` (F,) keeps them.
    """
    height, width = size
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    last = np.array([width - 1, height - 1], dtype=np.int32)
    low = np.maximum(np.ceil(np.minimum(np.minimum(a, b), c)).astype(np.int32), 0)
    high = np.minimum(np.floor(np.maximum(np.maximum(a, b), c)).astype(np.int32), last)
    span = np.maximum(high - low + 1, 0)
    facing = area < -1e-6
    if two_sided is not None:
        facing |= two_sided & (area > 1e-6)
    chosen = np.flatnonzero(facing & (span[:, 0] > 0) & (span[:, 1] > 0))
    a, b, c, area, low, span = a[chosen], b[chosen], c[chosen], area[chosen], low[chosen], span[chosen]

    # Barycentric weights are affine in the offset from the triangle's box: w = w_x dx + w_y dy + w_1.
    inverse = 1 / area
    planes = np.empty((len(chosen), 6), dtype=np.float32)
    planes[:, 0], planes[:, 1] = (b[:, 1] - c[:, 1]) * inverse, (c[:, 0] - b[:, 0]) * inverse
    planes[:, 3], planes[:, 4] = (c[:, 1] - a[:, 1]) * inverse, (a[:, 0] - c[:, 0]) * inverse
    from_c = low - c
    planes[:, 2] = planes[:, 0] * from_c[:, 0] + planes[:, 1] * from_c[:, 1]
    planes[:, 5] = planes[:, 3] * from_c[:, 0] + planes[:, 4] * from_c[:, 1]

    count = (span[:, 0] * span[:, 1]).astype(np.int64)
    index = np.repeat(np.arange(len(chosen), dtype=np.int32), count)
    order = np.arange(len(index), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    columns = span[index, 0]
    dy = order // columns
    dx = order - dy * columns
    plane = planes[index]
    first = plane[:, 0] * dx + plane[:, 1] * dy + plane[:, 2]
    second = plane[:, 3] * dx + plane[:, 4] * dy + plane[:, 5]
    third = 1 - first - second
    inside = np.flatnonzero((first >= -1e-4) & (second >= -1e-4) & (third >= -1e-4))
    index = index[inside]
    pixel = (low[index, 1] + dy[inside]).astype(np.int64) * width + low[index, 0] + dx[inside]
    weights = np.stack([first[inside], second[inside], third[inside]], axis=1)
    return Fragments(pixel, chosen[index], weights)


def choose_nearest(fragments: Fragments, depth: Array, pixels: int) -> NDArray[np.int64]:
    """Indices of the fragments with the least ``depth`` (N,) (> 0) of each of ``pixels`` pixels that has any."""
    # Positive floats order like their bits, so (depth, fragment) packs into one integer.
    key = depth.astype(np.float32).view(np.int32).astype(np.int64) << 32
    key |= np.arange(len(key))
    best = np.full(pixels, np.iinfo(np.int64).max)
    np.minimum.at(best, fragments.pixel, key)
    hit = best != np.iinfo(np.int64).max
    return best[hit] & 0xFFFFFFFF
