from __future__ import annotations

import numpy as np
import pytest

from pgen.inference.pixels.texture_fill import extend_texture, largest_rectangle


@pytest.mark.parametrize("seed", range(20))
def test_largest_rectangle(seed: int) -> None:
    region = np.random.default_rng(seed).random((9, 11)) < 0.8
    sizes = [
        (bottom - top) * (right - left)
        for top in range(9)
        for bottom in range(top + 1, 10)
        for left in range(11)
        for right in range(left + 1, 12)
        if region[top:bottom, left:right].all()
    ]
    top, left, bottom, right = largest_rectangle(region)
    assert region[top:bottom, left:right].all()
    assert (bottom - top) * (right - left) == max(sizes)


def test_nothing_in_nothing() -> None:
    assert largest_rectangle(np.zeros((5, 5), bool)) == (0, 0, 0, 0)
    assert extend_texture(np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), bool)) is None


@pytest.mark.parametrize("scale", [1, 3])
def test_stripes_go_on(scale: int) -> None:
    columns = np.arange(96 * scale) // (8 * scale) % 2 * 200
    stripes = np.broadcast_to(columns[None, :, None], (96 * scale, 96 * scale, 3)).astype(np.uint8)
    image, region = np.full_like(stripes, 90), np.zeros(stripes.shape[:2], bool)
    region[16 * scale : 48 * scale, 16 * scale : 64 * scale] = True
    image[region] = stripes[region]
    more = extend_texture(image, region)
    assert more is not None
    np.testing.assert_array_equal(more[region], stripes[region])
    assert set(np.unique(more)) == {0, 200}
    np.testing.assert_array_equal(more[0], more[-1])
