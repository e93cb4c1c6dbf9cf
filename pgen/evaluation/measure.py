"""Rows of numbers for pairs, computed in several processes: what the cache has already is not computed again.

Results and true photos are compared in one size: DeepFashion's two frames are reconciled, nothing is ever scaled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.methods import Method
from pgen.evaluation.photos import Pair, Photo, Photos
from pgen.metrics.base import METRICS, Batch, Metric, MetricOptions, Need, create_metrics
from pgen.metrics.networks import FeatureMetric, Rows
from pgen.runtime.parallel_map import parallel_map

_PIECE = 16  # pairs in one piece of work

#: Widths of DeepFashion's frames at a height of 256, with and without the white borders.
_WIDE, _NARROW = 256, 176

#: What is kept of each pair besides its rows: height and width at which it was compared, and whether it was cut to it.
SIZE = "size"

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What a process has to know to measure pairs."""

    photos: Photos
    method: Method | None  #: None: the photos themselves are measured, as a reference
    options: MetricOptions
    cache: ScoreCache
    size: tuple[int, int] | None = None  #: to which reference images are cut
    #: In which metrics are registered, also a caller's own: imported by every process.
    modules: tuple[str, ...] = field(default_factory=lambda: tuple({one.__module__ for one in METRICS.values()}))

    def metrics(self) -> tuple[list[Metric], dict[str, str]]:
        """What can be computed, and why the rest cannot; of references only what compares with them."""
        for module in self.modules:
            import_module(module)
        given: set[Need] = {"poses"} if self.photos.has_poses else set()
        if self.photos.has_parsing:
            given |= {"parsing"}
            if self.method is None or self.method.predicts_parsing:
                given |= {"predicted parsing"}
        metrics, missing = create_metrics(self.options, frozenset(given))
        if self.method is None:
            return [one for one in metrics if isinstance(one, FeatureMetric) and one.reference], {}
        return metrics, missing


@dataclass
class Outcome:
    """What was found out about a pair."""

    problem: str | None = None  #: why it could not be scored
    keys: dict[str, str] = field(default_factory=dict)  #: identity of a metric → where its rows are kept
    rows: dict[str, Rows] = field(default_factory=dict)  #: identity → rows, but for features
    fresh: dict[str, Rows] = field(default_factory=dict)  #: rows that are yet to be kept, by key


def measure_pairs(
    job: Job, pairs: Sequence[Pair], workers: int = 1, advance: Advance = lambda count: None
) -> Iterator[Outcome]:
    """What was found out about each of ``pairs``, in order; what is new has been added to the cache."""
    if "__main__" in job.modules:  # a metric of the caller's own script, which other processes do not run
        workers = 1
    remaining = iter(pairs)
    pieces = iter(lambda: tuple(islice(remaining, _PIECE)), ())
    for outcomes in parallel_map(_measure_piece, ((job, piece) for piece in pieces), workers):
        job.cache.put({key: row for outcome in outcomes for key, row in outcome.fresh.items()})
        for outcome in outcomes:
            outcome.fresh.clear()
            yield outcome
        advance(len(outcomes))


def _measure_piece(job: Job, pairs: Sequence[Pair]) -> list[Outcome]:
    """What is not in the cache yet is computed; nothing is written."""
    metrics = {metric.identity: metric for metric in job.metrics()[0]}
    outcomes = [_look_up(job, pair, [*metrics, SIZE]) for pair in pairs]
    known = job.cache.get([key for outcome in outcomes for key in outcome.keys.values()])
    by_size: dict[tuple[int, int], list[tuple[Outcome, Photo, Photo]]] = {}
    for pair, outcome in zip(pairs, outcomes, strict=True):
        if any(key not in known for key in outcome.keys.values()):
            try:
                target, result = _load_pair(job, pair, outcome)
            except InputError as error:
                outcome.problem = _explain(error, pair)
                continue
            by_size.setdefault((target.image.shape[0], target.image.shape[1]), []).append((outcome, target, result))
    for members in by_size.values():
        batch = _stack([target for _, target, _ in members], [result for _, _, result in members])
        for identity, metric in metrics.items():
            keys = [outcome.keys[identity] for outcome, _, _ in members]
            if any(key not in known for key in keys):
                for (outcome, _, _), key, row in zip(members, keys, metric.rows(batch).numpy(), strict=True):
                    outcome.fresh[key] = row
    single = [name for name in (*metrics, SIZE) if not isinstance(metrics.get(name), FeatureMetric)]
    for outcome in outcomes:
        if outcome.problem is None:
            found = known | outcome.fresh
            outcome.rows = {name: found[outcome.keys[name]] for name in single}
    return outcomes


def _look_up(job: Job, pair: Pair, identities: Sequence[str]) -> Outcome:
    """Where the rows of a pair are kept, or why it has none."""
    try:
        parts = [job.photos.digest(pair.target)]
        if job.method is None:
            parts.append(f"reference {job.size}")
        else:
            parts.append(job.method.digest(pair))
            if job.method.needs_source:
                parts.append("" if pair.source is None else job.photos.digest(pair.source))
    except InputError as error:
        return Outcome(problem=_explain(error, pair))
    texts = ("\n".join([*parts, identity]) for identity in identities)
    keys = (hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts)
    return Outcome(keys=dict(zip(identities, keys, strict=True)))


def _load_pair(job: Job, pair: Pair, outcome: Outcome) -> tuple[Photo, Photo]:
    """The true photo and the result, in one size. Raises `InputError` if one cannot be had, or sizes do not fit."""
    target = job.photos.load(pair.target)
    result, size, cut = target, job.size or target.image.shape[:2], False
    if job.method is not None:
        source = job.photos.load(pair.source) if job.method.needs_source and pair.source is not None else None
        result = job.method.predict(pair, source, target)
        size = common_size(result.image.shape, target.image.shape)
        cut = result.image.shape != target.image.shape
    outcome.fresh[outcome.keys[SIZE]] = np.array([*size, cut], np.float64)
    return crop_to_size(target, size), crop_to_size(result, size)


def common_size(result: Sequence[int], true: Sequence[int]) -> tuple[int, int]:
    """The size (height, width) at which a result of shape ``result`` is compared with a photo of shape ``true``.

    Their own if it is the same; 256×176 where one is that and the other 256×256, or the like at another scale. Raises
    `InputError` for all else.
    """
    height, width = result[:2]
    if (height, width) == tuple(true[:2]):
        return height, width
    narrow, wide = sorted((width, true[1]))
    if height == true[0] and narrow * _WIDE == wide * _NARROW:
        return height, narrow
    raise InputError(
        f"wrong size: {height}x{width}, and the target has {true[0]}x{true[1]} (height x width); scores of scaled "
        "images would not compare"
    )


def crop_to_size(photo: Photo, size: Sequence[int]) -> Photo:
    """The middle columns of ``photo``, ``size`` (height, width); what is of another height stays as it is."""
    left = (photo.image.shape[1] - size[1]) // 2
    if photo.image.shape[0] != size[0] or left <= 0:
        return photo
    columns = slice(left, left + size[1])
    pose = None if photo.pose is None else (photo.pose - (left, 0)).astype(np.float32)
    parsing = None if photo.parsing is None else photo.parsing[:, columns]
    return Photo(photo.image[:, columns], pose, parsing)


def _stack(targets: Sequence[Photo], results: Sequence[Photo]) -> Batch:
    """Results of one size and their targets as tensors; maps only if all of them have one."""

    def images(arrays: list[NDArray[np.uint8]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()

    def maps(arrays: list[NDArray[np.uint8] | None]) -> torch.Tensor | None:
        known = [one for one in arrays if one is not None]
        return torch.from_numpy(np.stack(known)) if len(known) == len(arrays) else None

    nowhere = np.full((18, 2), np.nan, np.float32)
    return Batch(
        images([one.image for one in results]),
        images([one.image for one in targets]),
        torch.from_numpy(np.stack([nowhere if one.pose is None else one.pose for one in targets])),
        maps([one.parsing for one in targets]),
        maps([one.parsing for one in results]),
    )


def _explain(error: InputError, pair: Pair) -> str:
    """Why a pair is not scored, in words that pairs with the same trouble share."""
    text = str(error)
    for name in (pair.file, pair.target, pair.source):
        text = text.replace(name, "…") if name else text
    return text
