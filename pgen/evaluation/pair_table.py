"""The single pairs of an evaluation, as the page's table has them: scores of all, pictures of best and worst."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from itertools import chain, islice, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.viz import draw_skeleton
from pgen.errors import InputError
from pgen.evaluation.photos import Pair, Photo, Photos
from pgen.evaluation.score import MethodResult, Score

#: So many pairs have pictures: those that are best and worst, in turns, by each method.
PICTURED = 32
_TALLEST = 1024  # of a picture, in pixels


def make_pair_table(results: Sequence[MethodResult], photos: Photos, ranked_by: str | None) -> dict[str, Any] | None:
    """What the page's script shows, ready for JSON; None if no score is of single pairs.

    ``pairs`` are (source, target), ``values`` those of each method, score and pair, None where there is none, and
    ``pictures`` by the number of a pair: source, target and each method's result as addresses that hold them.
    """
    scores = _list_scores(results)
    if not scores:
        return None
    pairs = list(dict.fromkeys(pair for result in results for pair in result.pairs))
    places = {pair: index for index, pair in enumerate(pairs)}
    values = np.full((len(results), len(scores), len(pairs)), np.nan)
    for method, result in enumerate(results):
        at = [places[pair] for pair in result.pairs]
        for score in result.scores:
            if score.values is not None:
                values[method, list(scores).index(score.name), at] = score.values
    ranked = list(scores).index(ranked_by) if ranked_by in scores else 0
    sign = 1 if list(scores.values())[ranked].metric.higher_is_better else -1
    chosen = _choose_pictured(sign * values[:, ranked])
    return {
        "methods": [result.method.name for result in results],
        "scores": [
            {"name": name, "higher": score.metric.higher_is_better, "decimals": score.metric.decimals}
            for name, score in scores.items()
        ],
        "ranked": ranked,
        "pairs": [(pair.source or "source unknown", pair.target) for pair in pairs],
        "values": [[[_round(value) for value in row] for row in of_method] for of_method in values.tolist()],
        "target": "true photo" if photos.has_truth else "asked pose",
        "pictures": {index: _embed_pair(results, photos, pairs[index]) for index in chosen},
    }


def _list_scores(results: Sequence[MethodResult]) -> dict[str, Score]:
    """A score of each metric that single pairs have."""
    found: dict[str, Score] = {}
    for score in chain.from_iterable(result.scores for result in results):
        if score.values is not None:
            found.setdefault(score.name, score)
    return found


def _choose_pictured(values: NDArray[np.float64]) -> list[int]:
    """The pairs that are shown: by values (M, N) of each method, the higher the better, the best and worst in turns."""
    orders = []
    for row in values:
        order = [k for k in np.argsort(row, kind="stable").tolist() if math.isfinite(row[k])]
        orders += [order[::-1], order]
    in_turns = (k for k in chain.from_iterable(zip_longest(*orders)) if k is not None)
    return sorted(islice(dict.fromkeys(in_turns), PICTURED))


def _round(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _embed_pair(results: Sequence[MethodResult], photos: Photos, pair: Pair) -> dict[str, Any]:
    """Pictures of a pair; what is gone since it was scored is left out."""
    try:
        target = photos.load(pair.target)
        source = None if pair.source is None else photos.load(pair.source)
    except InputError:
        return {"source": None, "target": None, "results": [None for _ in results]}
    made = []
    for result in results:
        try:
            own = next((one for one in result.pairs if one == pair), None)
            made.append(None if own is None else embed_picture(result.method.predict(own, source, target).image))
        except InputError:
            made.append(None)
    shown = target.image if photos.has_truth else _draw_asked(target)
    return {
        "source": None if source is None else embed_picture(source.image),
        "target": embed_picture(shown),
        "results": made,
    }


def _draw_asked(target: Photo) -> NDArray[np.uint8]:
    size = (target.image.shape[0], target.image.shape[1])
    return draw_skeleton(size, np.full((18, 2), np.nan, np.float32) if target.pose is None else target.pose)


def embed_picture(picture: NDArray[np.uint8]) -> str:
    """The picture as an address that holds it; slightly compressed, for the eye only."""
    image = Image.fromarray(picture)
    image.thumbnail((_TALLEST, _TALLEST))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
