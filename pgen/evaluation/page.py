"""What an evaluation shows of all pairs together: the spread of their scores, and a random choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.evaluation.methods import Method
from pgen.evaluation.photos import Pair, Photos
from pgen.evaluation.score import MethodResult

_BINS = (8, 40)  # of a histogram, at least and at most


def list_histograms(results: Sequence[MethodResult], names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each score in ``names`` that pairs have: its range, which all methods share, and each method's histogram.

    The bars of a histogram are as shares of its tallest.
    """
    found = []
    for name in names:
        values = {
            result.method.name: score.values[np.isfinite(score.values)]
            for result in results
            for score in result.scores
            if score.name == name and score.values is not None and np.isfinite(score.values).any()
        }
        if values:
            low, high = min(one.min() for one in values.values()), max(one.max() for one in values.values())
            low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
            figures = []
            for method, one in values.items():
                bars, _ = np.histogram(one, int(np.clip(2 * math.sqrt(len(one)), *_BINS)), (low, high))
                figures.append((method, float(np.median(one)), (bars / max(int(bars.max()), 1)).tolist()))
            found.append({"name": name, "low": low, "high": high, "figures": figures})
    return found


def draw_examples(
    methods: Sequence[Method], photos: Photos, pairs: Sequence[Pair], count: int, seed: int, across: int = 2
) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of ``count`` of the pairs, which depend on ``seed`` alone, ``across`` beside each other.

    Each with source, target pose, map (of the first method that predicts one), results and truth.
    """
    chosen = np.sort(np.random.default_rng(seed).choice(len(pairs), min(count, len(pairs)), replace=False))
    shown = [_draw_row(methods, photos, pairs[index]) for index in chosen]
    return draw_sheet([list(chain(*shown[start : start + across])) for start in range(0, len(shown), across)])


def _draw_row(methods: Sequence[Method], photos: Photos, pair: Pair) -> list[tuple[str, NDArray[np.uint8]]]:
    source = None if pair.source is None else photos.load(pair.source)
    target = photos.load(pair.target)
    cells: list[tuple[str, NDArray[np.uint8]]] = []
    if source is not None:
        cells.append(("source", source.image))
    if target.pose is not None:
        cells.append(("pose", draw_skeleton((target.image.shape[0], target.image.shape[1]), target.pose)))
    results = [(method.name, method.predict(pair, source, target)) for method in methods]
    maps = [one.parsing for method, (_, one) in zip(methods, results, strict=True) if method.predicts_parsing]
    if maps and maps[0] is not None:
        cells.append(("map", colorize_parsing(maps[0])))
    cells += [(name, one.image) for name, one in results]
    return [*cells, ("truth", target.image)] if photos.has_truth else cells
