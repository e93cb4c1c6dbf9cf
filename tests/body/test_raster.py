"""Filled polygons: pixels on the edge included, and the same as scikit-image's."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import grid_points_in_poly

from pgen.body.raster import convex_spans, row_crossings


def fill(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    first, stop = convex_spans(torch.from_numpy(corners).double(), size[0])
    columns = torch.arange(size[1])
    return ((columns >= first[:, None]) & (columns < stop[:, None])).numpy()


@st.composite
def rectangles(draw: st.DrawFn) -> np.ndarray:
    """A turned rectangle or a single point, often at whole pixels: corners (4, 2)."""
    grain = draw(st.sampled_from([1, 2, 10, 64]))
    x, y, along_x, along_y = (draw(st.integers(-10 * grain, 50 * grain)) / grain for _ in range(4))
    thickness = draw(st.sampled_from([0.1, 0.25, 0.5, 1]))
    along = np.array([along_x, along_y])
    across = thickness * np.array([-along_y, along_x])
    start = np.array([x, y])
    return np.array([start, start + across, start + along + across, start + along])


@settings(max_examples=100)
@given(rectangles())
def test_same_pixels_as_skimage(corners: np.ndarray) -> None:
    expected = grid_points_in_poly((40, 30), corners[:, ::-1])
    np.testing.assert_array_equal(fill(corners, (40, 30)), expected)


def test_edges_belong_to_the_polygon() -> None:
    mask = fill(np.array([(2, 3), (6, 3), (6, 8), (2, 8)]), (12, 10))
    expected = np.zeros((12, 10), dtype=bool)
    expected[3:9, 2:7] = True
    np.testing.assert_array_equal(mask, expected)


def test_row_crossings_end_with_the_segment() -> None:
    x, crosses = row_crossings(
        torch.tensor([2.0, 1.0], dtype=torch.float64), torch.tensor([8.0, 4.0], dtype=torch.float64), 6
    )
    assert crosses.tolist() == [False, True, True, True, True, False]
    np.testing.assert_allclose(x[1:5], [2, 4, 6, 8])
