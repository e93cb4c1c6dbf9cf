from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from pgen.training.curves import draw_curves
from pgen.training.loop import train
from tests.training.toy import Toy, quiet, run_in


def rows(count: int = 60) -> list[dict[str, float]]:
    losses = [
        {"step": 10 * k, "layout": 3 / k, "discriminator": 0.4 + 0.1 * (k % 2), "samples_per_second": 9.0}
        for k in range(1, count + 1)
    ]
    return [*losses, {"step": 10 * count, "miou": 0.5}]


def panels_with_lines(picture: np.ndarray) -> list[bool]:
    """Which of the three panels have a colour in them."""
    colourful = np.ptp(picture.astype(int), axis=-1) > 60
    return [bool(part[:, 20:].any()) for part in np.array_split(colourful, 3, axis=1)]  # a panel may reach over


def test_each_value_has_a_panel() -> None:
    picture = draw_curves(rows())
    assert picture.dtype == np.uint8
    assert panels_with_lines(picture) == [True, True, True]
    assert panels_with_lines(draw_curves([row for row in rows() if "miou" not in row])) == [True, True, False]


@pytest.mark.parametrize("given_rows", [[], [{"step": 0}], rows(1), [{"step": 5, "miou": math.nan}]])
def test_hardly_anything_to_draw(given_rows: list[dict[str, float]]) -> None:
    assert draw_curves(given_rows).shape == draw_curves(rows()).shape


def test_without_matplotlib_there_are_no_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is said once."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr("pgen.training.run.draw_curves", draw_curves)
    warnings: list[str] = []
    task = Toy()
    task.schedule = type(task.schedule)(steps=8, batch=2, validate_every=2)
    train(task, run_in(tmp_path, warn=warnings.append), quiet)
    assert not (tmp_path / "curves.png").exists()
    assert len(warnings) == 1
    assert "pgen[plots]" in warnings[0]
