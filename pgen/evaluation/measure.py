"""Rows of numbers for pairs, computed in several processes: what the cache has already is not computed again.

Results and true photos are compared in one size: DeepFashion's two frames are reconciled, nothing is ever scaled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import groupby

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
from pgen.version import hash_sources

_PIECE = 16  # pairs in one piece of work, at most,
_PIECES = 12  # and at least so many pieces for each process, that none is left with much at the end

#: Widths of DeepFashion's frames at a height of 256, with and without the white borders.
_WIDE, _NARROW = 256, 176

#: What is kept of each pair besides its rows: height and width at which it was compared, and whether it was cut to it.
SIZE = "size"

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What a process has to know to measure pairs."""

    photos: Photos
    methods: Sequence[Method]  #: none: the photos themselves are measured, as a reference
    options: MetricOptions
    cache: ScoreCache
    size: tuple[int, int] | None = None  #: to which reference images are cut
    #: In which metrics are registered, also a caller's own: imported by every process.
    modules: tuple[str, ...] = field(default_factory=lambda: tuple({one.__module__ for one in METRICS.values()}))
    code: str = field(default_factory=hash_sources)  #: what other code has measured is measured anew

    @property
    def measured(self) -> Sequence[Method | None]:
        """The methods, or None for the photos."""
        return self.methods or (None,)

    def metrics(self, method: Method | None) -> tuple[list[Metric], dict[str, str]]:
        """What can be computed, and why the rest cannot; of references only what compares with them."""
        for module in self.modules:
            import_module(module)
        given: set[Need] = {"poses"} if self.photos.has_poses else set()
        if self.photos.has_parsing:
            given |= {"parsing"}
            if method is None or method.predicts_parsing:
                given |= {"predicted parsing"}
        metrics, missing = create_metrics(self.options, frozenset(given))
        if method is None:
            return [one for one in metrics if isinstance(one, FeatureMetric) and one.reference], {}
        return metrics, missing

    def find_metrics(self) -> list[dict[str, Metric]]:
        """By identity, those of each method, or of the reference."""
        return [{one.identity: one for one in self.metrics(method)[0]} for method in self.measured]


@dataclass
class Outcome:
    """What was found out about a method's result of a pair."""

    problem: str | None = None  #: why it could not be scored
    keys: dict[str, str] = field(default_factory=dict)  #: identity of a metric → where its rows are kept
    rows: dict[str, Rows] = field(default_factory=dict)  #: identity → rows, but for features
    fresh: dict[str, Rows] = field(default_factory=dict)  #: rows that are yet to be kept, by key


def measure_pairs(
    job: Job, pairs: Sequence[Pair], workers: int = 1, advance: Advance = lambda count: None
) -> list[list[Outcome]]:
    """What was found out about each of ``pairs``, in order, for each method; what is new has been added to the cache.

    Pairs of one source are measured together, wherever they stand in the list, and all methods beside each other:
    what they share is loaded and computed once.
    """
    if "__main__" in job.modules:  # a metric of the caller's own script, which other processes do not run
        workers = 1
    sources: dict[str | None, list[int]] = {}
    for index, pair in enumerate(pairs):
        sources.setdefault(pair.source, []).append(index)
    most = min(_PIECE, -(-len(pairs) // (_PIECES * workers)))
    pieces: list[list[int]] = []
    for same in sources.values():
        for start in range(0, len(same), _PIECE):
            part = same[start : start + _PIECE]
            if not pieces or len(pieces[-1]) + len(part) > most:
                pieces.append([])
            pieces[-1] += part
    found: list[list[Outcome]] = [[] for _ in pairs]
    work = ((job, [pairs[index] for index in piece]) for piece in pieces)
    for piece, outcomes in zip(pieces, parallel_map(_measure_piece, work, workers), strict=True):
        job.cache.put({key: row for each in outcomes for outcome in each for key, row in outcome.fresh.items()})
        for index, each in zip(piece, outcomes, strict=True):
            for outcome in each:
                outcome.fresh.clear()
            found[index] = each
        advance(len(piece))
    return found


@dataclass
class _Result:
    """A result beside the true photo, in one size, and where its rows go."""

    outcome: Outcome
    metrics: Mapping[str, Metric]
    target: Photo
    result: Photo
    has_plan: bool  #: whether the map of the result is the one that it was painted into


def _measure_piece(job: Job, pairs: Sequence[Pair]) -> list[list[Outcome]]:
    """What is not in the cache yet is computed; nothing is written."""
    metrics = job.find_metrics()
    digest, load = cache(job.photos.digest), cache(job.photos.load)
    outcomes = [
        [
            _look_up(job, method, pair, digest, [*known, SIZE])
            for method, known in zip(job.measured, metrics, strict=True)
        ]
        for pair in pairs
    ]
    kept = job.cache.get([key for each in outcomes for outcome in each for key in outcome.keys.values()])
    by_size: dict[tuple[int, int], list[_Result]] = {}
    for _, group in groupby(zip(pairs, outcomes, strict=True), key=lambda one: one[0].source):
        for one in _load_results(job, list(group), metrics, kept, load):
            by_size.setdefault((one.target.image.shape[0], one.target.image.shape[1]), []).append(one)
    for results in by_size.values():
        _measure_results(results, kept)
    for each in outcomes:
        for outcome, known in zip(each, metrics, strict=True):
            if outcome.problem is None:
                single = [name for name in (*known, SIZE) if not isinstance(known.get(name), FeatureMetric)]
                rows = kept | outcome.fresh
                outcome.rows = {name: rows[outcome.keys[name]] for name in single}
    return outcomes


def _measure_results(results: Sequence[_Result], kept: Mapping[str, Rows]) -> None:
    """Rows of all metrics for ``results`` of one size, but for those that are ``kept``.

    A size that a metric cannot compare is noted as the problem of its outcomes.
    """
    batches: dict[tuple[int, ...], Batch] = {}
    for identity, metric in {name: metric for one in results for name, metric in one.metrics.items()}.items():
        lacking = [identity in one.metrics and one.outcome.keys[identity] not in kept for one in results]
        which = tuple(index for index, lacks in enumerate(lacking) if lacks)
        if which:
            if which not in batches:
                batches[which] = _stack([results[k] for k in which])
            outcomes = [results[index].outcome for index in which]
            try:
                rows = _compute_rows(metric, batches[which])
            except InputError as error:
                for outcome in outcomes:
                    outcome.problem = str(error)
                continue
            for outcome, row in zip(outcomes, rows, strict=True):
                outcome.fresh[outcome.keys[identity]] = row


def _compute_rows(metric: Metric, batch: Batch) -> Rows:
    height, width = batch.generated.shape[2:]
    if min(height, width) < metric.smallest:
        raise InputError(f"{height}x{width} pixels: {metric.name} needs {metric.smallest} a side; leave it out")
    return np.asarray(metric.rows(batch).numpy())


def _look_up(
    job: Job, method: Method | None, pair: Pair, digest: Callable[[str], str], identities: Sequence[str]
) -> Outcome:
    """Where the rows of a pair are kept, or why it has none. ``digest`` is that of the photo of a name."""
    try:
        parts = [job.code, digest(pair.target)]
        if method is None:
            parts.append(f"reference {job.size}")
        else:
            parts.append(method.digest(pair))
            if method.needs_source:
                parts.append("" if pair.source is None else digest(pair.source))
    except InputError as error:
        return Outcome(problem=_explain(error, pair))
    texts = ("\n".join([*parts, identity]) for identity in identities)
    keys = (hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts)
    return Outcome(keys=dict(zip(identities, keys, strict=True)))


def _load_results(
    job: Job,
    group: Sequence[tuple[Pair, Sequence[Outcome]]],
    metrics: Sequence[Mapping[str, Metric]],
    kept: Mapping[str, Rows],
    load: Callable[[str], Photo],
) -> Iterator[_Result]:
    """The true photos and results of pairs with one source, as far as rows of theirs are lacking, in one size.

    What cannot be had, or is of a size that does not fit, is noted as the problem of its outcome.
    """
    for index, (method, known) in enumerate(zip(job.measured, metrics, strict=True)):
        asked: list[tuple[Pair, Outcome, Photo]] = []
        for pair, each in group:
            if any(key not in kept for key in each[index].keys.values()):
                try:
                    asked.append((pair, each[index], load(pair.target)))
                except InputError as error:
                    each[index].problem = _explain(error, pair)
        if not asked:
            continue
        results: Sequence[Photo | InputError] = [target for _, _, target in asked]
        if method is not None:
            try:
                name = asked[0][0].source
                source = load(name) if method.needs_source and name is not None else None
                results = method.predict_many([pair for pair, _, _ in asked], source, [photo for _, _, photo in asked])
            except InputError as error:
                results = [error] * len(asked)
        for (pair, outcome, target), result in zip(asked, results, strict=True):
            try:
                if isinstance(result, InputError):
                    raise result
                size = job.size or target.image.shape[:2]
                if method is not None:
                    size = common_size(result.image.shape, target.image.shape)
            except InputError as error:
                outcome.problem = _explain(error, pair)
                continue
            cut = method is not None and result.image.shape != target.image.shape
            outcome.fresh[outcome.keys[SIZE]] = np.array([*size, cut], np.float64)
            has_plan = method is not None and method.paints_into_map
            yield _Result(outcome, known, crop_to_size(target, size), crop_to_size(result, size), has_plan)


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


def _stack(measured: Sequence[_Result]) -> Batch:
    """Results of one size and their targets as tensors; maps only if all of them have one."""
    targets, results = [one.target for one in measured], [one.result for one in measured]
    plans = [one.result.parsing if one.has_plan else one.target.parsing for one in measured]

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
        maps(plans),
    )


def _explain(error: InputError, pair: Pair) -> str:
    """Why a pair is not scored, in words that pairs with the same trouble share."""
    text = str(error)
    for name in (pair.file, pair.target, pair.source):
        text = text.replace(name, "…") if name else text
    return text
