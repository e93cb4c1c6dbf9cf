from __future__ import annotations

import numpy as np
import pytest

from pgen.inference.rendering.hair import draw_head, find_flow, lay_hair


def make_head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo of hair in two colors around a hole, the head and the hole."""
    rows, columns = np.indices((90, 80))
    head = ((rows - 45) / 40) ** 2 + ((columns - 40) / 30) ** 2 < 1
    hole = ((rows - 50) / 25) ** 2 + ((columns - 40) / 15) ** 2 < 1
    image = np.full((90, 80, 3), 200, np.uint8)
    image[head] = np.where((columns[head] // 3 % 2 == 0)[:, None], (40, 30, 20), (110, 80, 50))
    image[hole] = (230, 180, 150)
    return image, head, hole


def test_hair_is_drawn_in_the_colors_that_are_shown() -> None:
    image, head, hole = make_head()
    drawn = draw_head(image, head, hole, head & ~hole, 60.0, has_strands=True)
    np.testing.assert_array_equal(drawn[~hole], image[~hole])
    inside = drawn[hole].astype(int)
    assert (inside.min(0) >= (36, 26, 17)).all()
    assert np.median(inside[:, 0]) < 111
    assert inside[:, 0].std() > 12  # strands
    again = draw_head(image, head, hole, head & ~hole, 60.0, has_strands=True)
    np.testing.assert_array_equal(drawn, again)


def test_other_colors_may_be_given_and_the_brightest_are_left_out() -> None:
    image, head, hole = make_head()
    greys = np.linspace(0, 100, 101).astype(np.uint8)[:, None].repeat(3, 1)
    known = np.zeros_like(head)
    known[0, 0] = True  # far from the head: nothing around it tells how bright it is
    drawn = draw_head(image, head, hole, known, 60.0, has_strands=True, colors=greys)[hole]
    assert np.ptp(drawn.astype(int), axis=1).max() == 0
    assert 50 < drawn.max() < 75


def test_strands_flow_down() -> None:
    image, head, hole = make_head()
    drawn = draw_head(image, head, hole, head & ~hole, 60.0, has_strands=True)[..., 0].astype(float)
    core = drawn[40:60, 30:50]
    assert np.abs(np.diff(core, axis=1)).mean() > 1.5 * np.abs(np.diff(core, axis=0)).mean()


def test_skin_is_smooth_and_darker_at_its_sides() -> None:
    image, head, _ = make_head()
    image[head] = np.random.default_rng(0).integers(100, 200, (int(head.sum()), 1))
    drawn = draw_head(image, head, head, head, 60.0, has_strands=False).astype(float)[..., 0]
    assert drawn[45, 40] > drawn[45, 14] + 10
    assert np.abs(np.diff(drawn[30:60, 20:60], axis=1)).max() < 8


def test_places_follow_the_outline() -> None:
    _, head, _ = make_head()
    across, along = find_flow(head)
    assert abs(across[45, 40]) < 0.05
    assert across[45, 68] > 0.8
    assert across[45, 12] < -0.8
    assert along[0, 0] == 0
    assert along[-1, 0] == 1


@pytest.mark.parametrize("rows", [45, 200])
def test_hair_is_laid_from_the_side(rows: int) -> None:
    image, head, _ = make_head()
    unrolled = np.zeros((rows, 20, 3), np.float32)
    unrolled[..., 0] = np.linspace(50, 200, rows)[:, None]  # down
    unrolled[..., 1] = np.linspace(30, 130, 20)  # from the side to the middle
    laid = lay_hair(image, head, unrolled, scale=2.0)
    np.testing.assert_array_equal(laid[~head], image[~head])
    assert abs(int(laid[45, 40, 1]) - 30) < 15  # the head's side is the middle of what is seen
    assert min(laid[45, 11, 1], laid[45, 69, 1]) > 115
    reds = laid[6:84, 40, 0].astype(int)
    assert (np.diff(reds) >= 0).all()
    np.testing.assert_allclose(reds[-1], 200 if rows == 45 else 50 + 150 * 2 * 78 / 199, atol=8)  # drawn out, or cut


def test_hair_that_is_too_short_is_laid_to_and_fro() -> None:
    image, head, _ = make_head()
    unrolled = np.zeros((4, 5, 3), np.float32)
    unrolled[..., 0] = np.linspace(50, 200, 4)[:, None]
    reds = lay_hair(image, head, unrolled, scale=1.0)[6:84, 40, 0].astype(int)
    assert reds.max() > 180
    assert (np.diff(reds) > 0).any()
    assert (np.diff(reds) < 0).any()
