from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgen.training.curves import draw_curves, round_numbers

BLUE, ORANGE, GREEN = (34, 106, 198), (216, 108, 24), (26, 138, 84)


def rows(count: int = 60) -> list[dict[str, float]]:
    losses = [
        {"step": 10 * k, "layout": 3 / k, "discriminator": 0.4 + 0.1 * (k % 2), "samples_per_second": 9.0}
        for k in range(1, count + 1)
    ]
    return [*losses, {"step": 10 * count, "miou": 0.5}]


def panel(picture: np.ndarray, index: int) -> np.ndarray:
    """The panel at ``index``, of the first row, without its title and last value."""
    return picture[64 + 34 : 64 + 236, 20 + 380 * index : 20 + 380 * (index + 1)].astype(int)


def has(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(pixels - colour).max(-1) < 12).any())


def test_each_value_has_a_panel_in_the_colour_of_its_kind() -> None:
    picture = draw_curves(rows())
    assert (picture.dtype, picture.shape) == (np.uint8, (64 + 236 + 20, 40 + 3 * 380, 3))
    for index, colour in enumerate((BLUE, ORANGE, GREEN)):
        assert [has(panel(picture, index), other) for other in (BLUE, ORANGE, GREEN)] == [
            other == colour for other in (BLUE, ORANGE, GREEN)
        ]


def test_a_loss_that_falls_is_drawn_falling() -> None:
    pixels = panel(draw_curves(rows()), 0)
    ys, xs = np.nonzero(np.abs(pixels - BLUE).max(-1) < 12)
    assert ys[xs < np.quantile(xs, 0.1)].mean() < ys[xs > np.quantile(xs, 0.9)].mean() - 50


def test_a_single_outlier_does_not_flatten_the_rest() -> None:
    spoilt = rows()
    spoilt[30]["discriminator"] = 1e6
    found = [
        np.ptp(np.nonzero(np.abs(panel(draw_curves(r), 1) - (246, 214, 184)).max(-1) < 12)[0]) for r in (rows(), spoilt)
    ]
    assert min(found) > 60


@pytest.mark.parametrize("given_rows", [[], [{"step": 0}], rows(1), [{"step": 5, "miou": math.nan}]])
def test_hardly_anything_to_draw(given_rows: list[dict[str, float]]) -> None:
    assert draw_curves(given_rows).shape[1] == 1180


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_round_numbers_enclose_their_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = round_numbers(low, high)
    slack = 1e-6 * max(abs(low), abs(high), 1e-300)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 8
    step = ticks[1] - ticks[0]
    digits = step / 10 ** math.floor(math.log10(step * (1 + 1e-9)))
    assert min(abs(digits - digit) for digit in (1, 2, 5, 10)) < 1e-3
