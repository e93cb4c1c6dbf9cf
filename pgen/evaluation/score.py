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


def score_method(
    job: Job,
    pairs: Sequence[Pair],
    workers: int = 1,
    training: Training | None = None,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> MethodResult:
    """All scores of the job's method on ``pairs``.

    ``training`` are the images for distances from the training set. A pair that cannot be scored is noted in the
    result, and costs nothing else. Raises `InputError` if that is so for all pairs.
    """
    assert job.method is not None
    metrics, missing = job.metrics()
    scored: list[tuple[Pair, Outcome]] = []
    problems: dict[str, list[str]] = {}
    for pair, outcome in zip(pairs, measure_pairs(job, pairs, workers, advance), strict=True):
        if outcome.problem is None:
            scored.append((pair, outcome))
        else:
            problems.setdefault(outcome.problem, []).append(pair.file or pair.target)
    if not scored:
        reasons = "; ".join(f"{reason} ({len(names)}, such as {names[0]})" for reason, names in problems.items())
        raise InputError(f"{job.method.name}: none of {len(pairs)} pairs could be scored: {reasons or 'no pairs'}")
    scored_pairs, outcomes = [pair for pair, _ in scored], [outcome for _, outcome in scored]
    sizes = np.stack([outcome.rows[SIZE] for outcome in outcomes])
    people = [person for pair in scored_pairs if (person := job.photos.person(pair.target)) is not None]
    groups = people if len(people) == len(scored) else None
    result = MethodResult(job.method, scored_pairs, problems, int(sizes[:, 2].sum()), [], dict(missing), groups)
    one_size = (int(sizes[0, 0]), int(sizes[0, 1])) if (sizes[:, :2] == sizes[0, :2]).all() else None
    targets = list(dict.fromkeys(pair.target for pair in scored_pairs))
    true_images = {"test": (job.photos, targets), "train": training or (job.photos, [])}

    @cache
    def measure_reference(reference: Reference) -> list[Outcome]:
        """Of the true images that sets of results are compared with."""
        photos, names = true_images[reference]
        if not names:
            raise UnavailableError("there are no training images; give a folder of them, or a prepared data set")
        true_job = replace(job, photos=photos, method=None, size=one_size)
        found = measure_pairs(true_job, [Pair(None, name) for name in names], workers)
        return [outcome for outcome in found if outcome.problem is None]

    for metric in metrics:
        if isinstance(metric, FeatureMetric):
            try:
                compared = [outcomes] + ([measure_reference(metric.reference)] if metric.reference else [])
                features = [CachedFeatures(job.cache, [one.keys[metric.identity] for one in each]) for each in compared]
                value, sd = metric.score_set(*features)
                result.scores.append(Score(metric, value, len(scored), sd=sd))
            except UnavailableError as error:
                result.missing[metric.name] = str(error)
        else:
            rows = np.stack([outcome.rows[metric.identity] for outcome in outcomes]).astype(np.float64)
            found = bootstrap(rows, metric.score, groups, seed)
            values = score_rows(rows, metric.score)
            result.scores.append(Score(metric, found.value, len(rows), found.low, found.high, None, values, rows))
    return result


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
