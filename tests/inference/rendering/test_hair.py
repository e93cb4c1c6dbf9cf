from __future__ import annotations

import numpy as np

from pgen.inference.rendering.hair import draw_hair, draw_head, find_flow


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
    assert (inside.min(0) >= (39, 29, 19)).all()
    assert np.median(inside[:, 0]) < 111
    assert inside[:, 0].std() > 12  # strands
    again = draw_head(image, head, hole, head & ~hole, 60.0, has_strands=True)
    np.testing.assert_array_equal(drawn, again)


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


def test_painted_hair_is_drawn_in_other_colors() -> None:
    image, head, _ = make_head()
    colors = np.random.default_rng(0).integers(100, 140, (500, 3)).astype(np.uint8)
    drawn = draw_hair(image, head, colors, 60.0)
    np.testing.assert_array_equal(drawn[~head], image[~head])
    assert (drawn[head] >= 100).all()
    assert (drawn[head] <= 140).all()
