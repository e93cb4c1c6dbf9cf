"""Scores of one method: every pair is measured once, by several processes, and what was measured is kept.

Features of images, which scores of whole sets are made of, are read back from the cache in blocks: memory does not
grow with the number of images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.bootstrap import bootstrap, score_rows
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.measure import SIZE, Advance, Job, Outcome, measure_pairs
from pgen.evaluation.methods import Method
from pgen.evaluation.photos import Pair, Photos
from pgen.metrics.base import Metric, Reference, UnavailableError
from pgen.metrics.networks import FeatureMetric, Rows

_BLOCK = 256  # rows of features in memory

Training = tuple[Photos, Sequence[str]]  # images of a training set, by name


@dataclass(frozen=True)
class Score:
    """A score of a method."""

    metric: Metric
    value: float
    count: int  #: pairs that it is of
    low: float = float("nan")  #: 95 % interval; NaN for scores of sets
    high: float = float("nan")
    sd: float | None = None  #: of an Inception Score, over its splits
    values: NDArray[np.float64] | None = None  #: (N,) of each pair, NaN where undefined
    rows: NDArray[np.float64] | None = None  #: (N, K), of which the score is made

    @property
    def name(self) -> str:
        return self.metric.name

    @property
    def undefined(self) -> int:
        """How many pairs have no value."""
        return 0 if self.values is None else int((~np.isfinite(self.values)).sum())


@dataclass(frozen=True)
class MethodResult:
    """A method's scores."""

    method: Method
    pairs: list[Pair]  #: those that were scored, in order
    problems: Mapping[str, list[str]]  #: why pairs were not scored → their names
    cut: int  #: pairs whose images were cut to the columns that both have
    scores: list[Score]
    missing: dict[str, str]  #: scores that were not computed, and why
    groups: list[str] | None = None  #: the person of each pair, whose pairs are resampled together, if known


def hash_pairs(pairs: Sequence[Pair]) -> str:
    """32 digits that stand for the ordered list of (source, target)."""
    text = "".join(f"{pair.source or ''}\t{pair.target}\n" for pair in pairs)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def score_methods(
    job: Job,
    pairs: Sequence[Pair],
    workers: int = 1,
    training: Training | None = None,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> list[MethodResult]:
    """All scores of each of the job's methods on ``pairs``.

    ``training`` are the images for distances from the training set. A pair that cannot be scored is noted in the
    result, and costs nothing else. Raises `InputError` if that is so for all pairs of a method.
    """
    found = measure_pairs(job, pairs, workers, advance)

    true_photos: dict[Reference, Photos] = {"test": job.photos, "train": training[0] if training else job.photos}

    @cache
    def measure_reference(kind: Reference, names: tuple[str, ...], size: tuple[int, int] | None) -> list[Outcome]:
        """Of the true images that sets of results are compared with."""
        if not names:
            raise UnavailableError("there are no training images; give a folder of them, or a prepared data set")
        true_job = replace(job, photos=true_photos[kind], methods=(), size=size)
        measured = [outcome for (outcome,) in measure_pairs(true_job, [Pair(None, name) for name in names], workers)]
        lacking = [(name, one.problem) for name, one in zip(names, measured, strict=True) if one.problem is not None]
        if lacking:  # the distance would be from another set than it says
            which = f"{len(lacking)} of {len(names)} images that it is taken from cannot be used"
            raise UnavailableError(f"{which}, such as {lacking[0][0]} ({lacking[0][1]}); mend them, or take them out")
        return measured

    @cache
    def find_features(
        kind: Reference, names: tuple[str, ...], size: tuple[int, int] | None, identity: str
    ) -> CachedFeatures:
        return CachedFeatures(job.cache, [one.keys[identity] for one in measure_reference(kind, names, size)])

    results = []
    for index, method in enumerate(job.methods):
        outcomes = [each[index] for each in found]
        result, outcomes = _sort_outcomes(job, method, pairs, outcomes)
        sizes = np.stack([outcome.rows[SIZE] for outcome in outcomes])
        one_size = (int(sizes[0, 0]), int(sizes[0, 1])) if (sizes[:, :2] == sizes[0, :2]).all() else None
        result = replace(result, cut=int(sizes[:, 2].sum()))
        targets = tuple(dict.fromkeys(pair.target for pair in result.pairs))
        names = {"test": targets, "train": tuple(training[1]) if training else ()}
        for metric in job.metrics(method)[0]:
            kind = metric.identity
            if isinstance(metric, FeatureMetric):
                try:
                    features = [CachedFeatures(job.cache, [one.keys[kind] for one in outcomes])]
                    if metric.reference:
                        features.append(find_features(metric.reference, names[metric.reference], one_size, kind))
                    value, sd = metric.score_set(*features)
                    result.scores.append(Score(metric, value, len(outcomes), sd=sd))
                except UnavailableError as error:
                    result.missing[metric.name] = str(error)
            else:
                rows = np.stack([outcome.rows[kind] for outcome in outcomes]).astype(np.float64)
                interval = bootstrap(rows, metric.score, result.groups, seed)
                of_pairs = score_rows(rows, metric.score), rows
                result.scores.append(
                    Score(metric, interval.value, len(rows), interval.low, interval.high, None, *of_pairs)
                )
        results.append(result)
    return results


def _sort_outcomes(
    job: Job, method: Method, pairs: Sequence[Pair], outcomes: Sequence[Outcome]
) -> tuple[MethodResult, list[Outcome]]:
    """A result without scores yet, and what was found out about those pairs that could be scored."""
    scored: list[tuple[Pair, Outcome]] = []
    problems: dict[str, list[str]] = {}
    for pair, outcome in zip(pairs, outcomes, strict=True):
        if outcome.problem is None:
            scored.append((pair, outcome))
        else:
            problems.setdefault(outcome.problem, []).append(pair.file or pair.target)
    if not scored:
        reasons = "; ".join(f"{reason} ({len(names)}, such as {names[0]})" for reason, names in problems.items())
        raise InputError(f"{method.name}: none of {len(pairs)} pairs could be scored: {reasons or 'no pairs'}")
    scored_pairs = [pair for pair, _ in scored]
    people = [person for pair in scored_pairs if (person := job.photos.person(pair.target)) is not None]
    groups = people if len(people) == len(scored) else None
    missing = dict(job.metrics(method)[1])
    return MethodResult(method, scored_pairs, problems, 0, [], missing, groups), [outcome for _, outcome in scored]


class CachedFeatures:
    """Features that are kept, read in blocks (N, K) in the order of their ``keys``."""

    def __init__(self, cache: ScoreCache, keys: Sequence[str]) -> None:
        self.cache, self.keys = cache, keys

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Rows]:
        for start in range(0, len(self.keys), _BLOCK):
            block = self.keys[start : start + _BLOCK]
            found = self.cache.get(list(dict.fromkeys(block)))
            yield np.stack([found[key] for key in block])
