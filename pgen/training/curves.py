"""A training drawn: each loss and score over the steps, one panel each, as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import lfilter

#: Not drawn: it says nothing about what is learnt.
_LEFT_OUT = ("step", "samples_per_second")
_COLUMNS, _PANEL = 3, (3.8, 2.4)  # (width, height) in inches


def draw_curves(rows: Sequence[Mapping[str, float]]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of the rows of a ``metrics.jsonl``, which have a "step" and some of the named values.

    Losses are drawn as they are, pale, and smoothed; scores as points. Values that are not finite are left out.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _LEFT_OUT and math.isfinite(value):
                series.setdefault(name, []).append((row["step"], value))
    # Rows of scores come by themselves, between those of losses, which all have a rate.
    of_losses = {name for row in rows if "samples_per_second" in row for name in row}
    lines = max(1, math.ceil(len(series) / _COLUMNS))
    figure = Figure((_COLUMNS * _PANEL[0], lines * _PANEL[1]), dpi=100, layout="constrained")
    panels = list(figure.subplots(lines, _COLUMNS, squeeze=False).flat)
    for axes in panels[len(series) :]:
        axes.set_axis_off()
    ordered = sorted(series.items(), key=lambda item: item[0] not in of_losses)
    for axes, (name, points) in zip(panels, ordered, strict=False):
        steps, values = np.array(points).T
        axes.set_title(f"{name.replace('_', ' ')}  {values[-1]:.4g}")
        if name in of_losses:
            axes.plot(steps, values, color="C0", alpha=0.3)
            axes.plot(steps, _smooth(values), color="C1" if "discriminator" in name else "C0")
            axes.set_ylim(*_shown_range(values))
        else:
            axes.plot(steps, values, "o-", color="C2", markersize=3)
        axes.grid(alpha=0.3)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential mean over about a thirtieth of the values, not drawn to where it began."""
    keep = 1 - 1 / max(1.0, len(values) / 30)
    weights = lfilter([1 - keep], [1, -keep], np.ones(len(values)))
    return lfilter([1 - keep], [1, -keep], values) / weights


def _shown_range(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """The values to show: all but single outliers, such as a loss at the first steps."""
    low, high = np.quantile(values, [0.01, 0.99]) if len(values) > 20 else (values.min(), values.max())
    margin = 0.08 * (high - low)
    return (low - margin, high + margin) if margin else (None, None)
