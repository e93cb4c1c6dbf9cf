"""A training drawn: each loss and score over the steps, one panel each, as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

_PAPER, _INK, _FAINT, _GRID, _FRAME = (255, 255, 255), (40, 42, 48), (112, 116, 126), (232, 234, 238), (190, 194, 202)
#: Colour of losses of the generator, losses of discriminators and scores: clear, and pale for what is not smoothed.
_KINDS: dict[str, tuple[Colour, Colour]] = {
    "loss": ((34, 106, 198), (184, 209, 240)),
    "discriminator's loss": ((216, 108, 24), (246, 214, 184)),
    "score on held-out people": ((26, 138, 84), (26, 138, 84)),
}

#: Not drawn: it says nothing about what is learnt.
_LEFT_OUT = ("step", "samples_per_second")
_PANEL, _COLUMNS = (380, 236), 3  # (width, height)
_MARGIN, _HEADER = 20, 64
#: Distances from a panel's edges to those of its axes: left, top, right, bottom.
_INSET = (58, 34, 14, 42)
#: Everything is drawn this many times larger and reduced, which smooths lines.
_SMOOTH = 2


def draw_curves(rows: Sequence[Mapping[str, float]]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of the rows of a ``metrics.jsonl``, which have a "step" and some of the named values.

    Losses are drawn as they are, pale, and smoothed; all axes have round numbers. Values that are not finite are left
    out.
    """
    series: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _LEFT_OUT and math.isfinite(value):
                series.setdefault(name, []).append((row["step"], value))
    # Rows of scores come by themselves, between those of losses, which all have a rate.
    of_losses = {name for row in rows if "samples_per_second" in row for name in row}
    ordered = sorted(series, key=lambda name: (name not in of_losses, "discriminator" in name))
    lines = max(1, math.ceil(len(ordered) / _COLUMNS))
    width, height = 2 * _MARGIN + _COLUMNS * _PANEL[0], _HEADER + lines * _PANEL[1] + _MARGIN
    paper = Image.new("RGB", (width * _SMOOTH, height * _SMOOTH), _PAPER)
    canvas = _Canvas(ImageDraw.Draw(paper))
    last = max((row["step"] for row in rows), default=0)
    _draw_legend(canvas, sorted({_kind(name, of_losses) for name in ordered}, key=list(_KINDS).index))
    for index, name in enumerate(ordered):
        corner = (_MARGIN + index % _COLUMNS * _PANEL[0], _HEADER + index // _COLUMNS * _PANEL[1])
        _draw_panel(canvas, corner, name, series[name], max(1, last), _kind(name, of_losses))
    return np.asarray(paper.resize((width, height), Image.Resampling.BOX))


def _kind(name: str, of_losses: set[str]) -> str:
    loss, of_critic, score = _KINDS
    return score if name not in of_losses else of_critic if "discriminator" in name else loss


class _Canvas:
    """Draws in the pixels of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self.draw = draw

    def line(self, points: Points, colour: Colour, width: float = 1) -> None:
        self.draw.line([(x * _SMOOTH, y * _SMOOTH) for x, y in points], colour, round(width * _SMOOTH), "curve")

    def dot(self, at: tuple[float, float], colour: Colour, radius: float) -> None:
        (x, y), r = at, radius
        self.draw.ellipse([(v * _SMOOTH) for v in (x - r, y - r, x + r, y + r)], colour)

    def text(self, at: tuple[float, float], text: str, anchor: str, size: int = 12, colour: Colour = _INK) -> float:
        """Write ``text``, and return its width."""
        font = ImageFont.load_default(size * _SMOOTH)
        self.draw.text((at[0] * _SMOOTH, at[1] * _SMOOTH), text, colour, font, anchor)
        return font.getlength(text) / _SMOOTH


def _draw_legend(canvas: _Canvas, kinds: Sequence[str]) -> None:
    x, y = float(_MARGIN + _INSET[0]), _HEADER / 2
    for kind in kinds:
        clear, pale = _KINDS[kind]
        smoothed = clear != pale
        if smoothed:
            canvas.line([(x, y + 4), (x + 28, y - 4)], pale, 2)
        canvas.line([(x, y), (x + 28, y)], clear, 2)
        text = f"{kind} (pale: not smoothed)" if smoothed else kind
        x += 36 + canvas.text((x + 36, y), text, "lm", 13) + 32


def _draw_panel(
    canvas: _Canvas, corner: tuple[float, float], name: str, points: Points, last: float, kind: str
) -> None:
    left, top = corner[0] + _INSET[0], corner[1] + _INSET[1]
    right, bottom = corner[0] + _PANEL[0] - _INSET[2], corner[1] + _PANEL[1] - _INSET[3]
    clear, pale = _KINDS[kind]
    smooth = _smoothed(points) if pale != clear else points
    ticks = round_numbers(*_shown_range(points, smooth))
    low, high = ticks[0], ticks[-1]

    def place(point: tuple[float, float]) -> tuple[float, float]:
        share = (min(max(point[1], low), high) - low) / (high - low)
        return left + point[0] / last * (right - left), bottom - share * (bottom - top)

    for tick in ticks:
        y = place((0, tick))[1]
        canvas.line([(left, y), (right, y)], _GRID)
        canvas.text((left - 6, y), f"{tick:.4g}", "rm", 11, _FAINT)
    for tick in (tick for tick in round_numbers(0, last) if tick <= last):
        x = place((tick, low))[0]
        canvas.line([(x, bottom), (x, bottom + 4)], _FRAME)
        canvas.text((x, bottom + 7), f"{tick:,.6g}", "mt", 11, _FAINT)
    canvas.text((right, bottom + 22), "step", "rt", 11, _FAINT)
    canvas.line([(left, top), (left, bottom), (right, bottom)], _FRAME)
    for values, colour, width in ((points, pale, 1.0), (smooth, clear, 2.0)):
        if len(values) > 1:
            canvas.line([place(point) for point in values], colour, width)
    if pale == clear or len(points) == 1:
        for point in points:
            canvas.dot(place(point), clear, 2.5)
    canvas.text((left, top - 10), name.replace("_", " "), "ls", 14)
    canvas.text((right, top - 10), f"{smooth[-1][1]:.4g}", "rs", 13, clear)


def _shown_range(points: Points, smooth: Points) -> tuple[float, float]:
    """The values to show: all but single outliers, such as a loss at the first steps."""
    values = np.array([value for _, value in points])
    trusted = [value for _, value in smooth[len(smooth) // 10 :]]
    low, high = np.quantile(values, [0.01, 0.99]) if len(values) > 20 else (values.min(), values.max())
    return float(min(low, *trusted)), float(max(high, *trusted))


def _smoothed(points: Points) -> Points:
    """Exponential mean over about a thirtieth of the points, not drawn to where it began."""
    keep = 1 - 1 / max(1.0, len(points) / 30)
    mean = weight = 0.0
    result = []
    for step, value in points:
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        result.append((step, mean / weight))
    return result


def round_numbers(low: float, high: float, about: int = 4) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, about so many, from at most ``low`` to at least ``high``."""
    if not high > low:
        margin = abs(low) * 0.1 or 0.5
        low, high = low - margin, high + margin
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [index * size for index in range(first, last + 1)]
