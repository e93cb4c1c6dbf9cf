"""What an evaluation shows of single pairs: the spread of their scores, the best and the worst, and a random choice."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.errors import InputError
from pgen.evaluation.methods import Method
from pgen.evaluation.photos import Pair, Photo, Photos
from pgen.evaluation.score import MethodResult

SHOWN = 12  #: best and worst pairs of each method
TALLEST = 160  #: of a picture, in pixels
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


def list_extremes(result: MethodResult, photos: Photos, ranked_by: str | None) -> list[dict[str, Any]]:
    """The best and the worst pairs of a method, with pictures; nothing if no score is of single pairs."""
    candidates = [score for score in result.scores if score.values is not None]
    score = next((one for one in candidates if one.name == ranked_by), next(iter(candidates), None))
    if score is None or score.values is None:
        return []
    order = np.argsort(score.values if score.metric.higher_is_better else -score.values, kind="stable")
    order = order[np.isfinite(score.values[order])]
    lists = {"Best": order[::-1][:SHOWN].tolist(), "Worst": order[:SHOWN].tolist()}
    shown = {title: [_show_pair(result, photos, k, score.values[k]) for k in chosen] for title, chosen in lists.items()}
    return [{"method": result.method.name, "score": score.name, "lists": shown}]


def _show_pair(result: MethodResult, photos: Photos, index: int, value: float) -> tuple[str, list[tuple[str, str]]]:
    """A caption, and pictures with their names."""
    pair = result.pairs[index]
    caption = f"{value:.3f} · {pair.source or 'source unknown'} → {pair.target}"
    try:
        target = photos.load(pair.target)
        source = None if pair.source is None else photos.load(pair.source)
        generated = result.method.predict(pair, source, target).image
    except InputError as error:  # gone since it was scored
        return f"{caption}: {error}", []
    pictures = [] if source is None else [("source", source.image)]
    pictures += [("result", generated), _show_target(photos, target)]
    return caption, [(name, _embed(picture)) for name, picture in pictures]


def _show_target(photos: Photos, target: Photo) -> tuple[str, NDArray[np.uint8]]:
    """What a result is compared with: the true photo, else the pose that was asked for."""
    if photos.has_truth or target.pose is None:
        return "true photo", target.image
    return "asked pose", draw_skeleton((target.image.shape[0], target.image.shape[1]), target.pose)


def _embed(picture: NDArray[np.uint8]) -> str:
    """The picture as an address that holds it; slightly compressed, for the eye only."""
    image = Image.fromarray(picture)
    scale = min(1.0, 2 * TALLEST / image.height)
    if scale < 1:
        image = image.resize((math.ceil(image.width * scale), math.ceil(image.height * scale)))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


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
