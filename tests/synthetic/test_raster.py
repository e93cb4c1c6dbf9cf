from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.synthetic.raster import choose_nearest, rasterize

_coordinate = st.floats(-5, 20, allow_nan=False, width=32)


def _inside(corners: np.ndarray, x: int, y: int) -> float:
    """The least of the three signed distances (as barycentric weights) of a pixel from the triangle's edges."""
    a, b, c = corners
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    first = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
    second = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
    return float(min(first, second, 1 - first - second))


@settings(max_examples=60)
@given(st.lists(_coordinate, min_size=6, max_size=6))
def test_covers_exactly_the_pixels_inside(values: list[float]) -> None:
    corners = np.array(values, dtype=np.float64).reshape(3, 2)
    first, second = corners[1] - corners[0], corners[2] - corners[0]
    if abs(first[0] * second[1] - first[1] * second[0]) < 1:
        return
    found = rasterize(corners.astype(np.float32), np.array([[0, 1, 2]]), (12, 15), np.array([True]))
    covered = set(found.pixel.tolist())
    for y in range(12):
        for x in range(15):
            depth = _inside(corners, x, y)
            if depth > 0.001:
                assert y * 15 + x in covered
            elif depth < -0.001:
                assert y * 15 + x not in covered
    # The weights give the pixel back.
    places = found.interpolate(corners.astype(np.float32), np.array([[0, 1, 2]]))
    np.testing.assert_allclose(places[:, 1] * 15 + places[:, 0], found.pixel, atol=0.15)


def test_back_faces_are_left_out_unless_asked_for() -> None:
    points = np.array([[1, 1], [1, 9], [9, 1]], dtype=np.float32)
    front, back = np.array([[0, 1, 2]]), np.array([[0, 2, 1]])
    assert len(rasterize(points, front, (10, 10)).pixel) > 20
    assert len(rasterize(points, back, (10, 10)).pixel) == 0
    assert len(rasterize(points, back, (10, 10), np.array([True])).pixel) > 20


def test_the_nearest_wins_whatever_the_order() -> None:
    points = np.array([[0, 0], [0, 30], [30, 0]], dtype=np.float32)
    faces = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]])
    found = rasterize(points, faces, (10, 10))
    depth = np.array([3.0, 1.0, 2.0], dtype=np.float32)[found.face]
    chosen = choose_nearest(found, depth, 100)
    assert len(chosen) == 100
    assert set(found.face[chosen].tolist()) == {1}
    assert sorted(found.pixel[chosen].tolist()) == list(range(100))
