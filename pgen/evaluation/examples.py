"""Pairs drawn at random and what each method generates, side by side: neither the best nor the worst."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.evaluation.methods import Method
from pgen.evaluation.photos import Pair, Photos


def draw_examples(
    methods: Sequence[Method], photos: Photos, pairs: Sequence[Pair], count: int, seed: int, across: int = 2
) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of ``count`` of the pairs, ``across`` beside each other.

    Each with source, target pose, map, results and truth. The pairs depend on ``seed`` alone. The map is that of the
    first method that predicts one.
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
    return [*cells, *((name, one.image) for name, one in results), ("truth", target.image)]
