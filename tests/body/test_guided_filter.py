"""The guided filter against its definition."""

from __future__ import annotations

import numpy as np

from pgen.body.guided_filter import GuidedFilter

RADIUS, NOISE = 2, 1e-3


def find_windows(planes: np.ndarray) -> np.ndarray:
    """Every pixel's window (..., h, w, k), borders repeated."""
    edges = [(0, 0)] * (planes.ndim - 2) + [(RADIUS, RADIUS)] * 2
    size = 2 * RADIUS + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(planes, edges, "edge"), (size, size), (-2, -1))
    return windows.reshape(*planes.shape, -1)


def test_factors_are_least_squares_over_windows_and_their_means() -> None:
    rng = np.random.default_rng(0)
    colors, scores = rng.random((3, 9, 12), np.float32), rng.random((9, 12), np.float32)
    everywhere = (slice(0, 9), slice(0, 12))
    found = GuidedFilter(colors, RADIUS, NOISE).fit(scores, everywhere)
    expected = np.empty((4, 9, 12))
    seen, wanted = find_windows(colors), find_windows(scores)
    for row, column in np.ndindex(9, 12):
        # A ridge of NOISE a pixel on the slopes, none on the offset.
        table = np.c_[seen[:, row, column].T, np.ones(seen.shape[-1])]
        ridge = np.diag([NOISE * len(table)] * 3 + [0])
        expected[:, row, column] = np.linalg.solve(table.T @ table + ridge, table.T @ wanted[row, column])
    np.testing.assert_allclose(found, find_windows(expected).mean(-1), atol=2e-4)


def test_a_part_is_as_the_whole_away_from_its_border() -> None:
    rng = np.random.default_rng(1)
    colors, scores = rng.random((3, 30, 30), np.float32), rng.random((30, 30), np.float32)
    guide = GuidedFilter(colors, RADIUS, NOISE)
    whole = guide.fit(scores, (slice(0, 30), slice(0, 30)))
    part = guide.fit(scores[5:25, 8:28], (slice(5, 25), slice(8, 28)))
    inner = slice(2 * RADIUS, -2 * RADIUS)
    np.testing.assert_allclose(part[:, inner, inner], whole[:, 5:25, 8:28][:, inner, inner], atol=1e-5)
