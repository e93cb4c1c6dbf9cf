"""Evaluating a system: every pair is measured once, by several processes, and what was measured is kept.

Measurements go to the cache as they are made. Scores of single pairs are few numbers and stay in memory; features of
images, which distances between sets are made of, are read back from the cache one after the other: memory does not
grow with the number of images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.measure import SIZE, Advance, Job, Outcome, compute_outcomes
from pgen.evaluation.methods import Method, Pair
from pgen.evaluation.photos import Photos
from pgen.metrics.bootstrap import bootstrap
from pgen.metrics.compute import Rows
from pgen.metrics.distributions import InceptionScore, Moments, frechet_distance
from pgen.metrics.registry import suite
from pgen.metrics.scores import Need, Options, Score

_READ_TOGETHER = 256  # rows of features in memory


@dataclass(frozen=True)
class ScoredResult:
    """A score of a system."""

    score: Score
    value: float
    low: float  #: 95 % interval; NaN for scores of sets
    high: float
    sd: float | None  #: of an Inception Score, over its splits
    count: int  #: pairs that it is of
    undefined: int  #: of those, pairs for which it has no value
    values: NDArray[np.float64] | None  #: (N,) of each pair, NaN where undefined
    rows: NDArray[np.float64] | None  #: (N, K), of which the score is made


@dataclass(frozen=True)
class SystemResult:
    """A system's scores."""

    system: Method
    pairs: list[Pair]  #: those that were scored, in order
    problems: Mapping[str, list[str]]  #: why pairs were not scored → their names
    cut: int  #: pairs whose images were cut to the columns that both have
    scored: list[ScoredResult]
    missing: dict[str, str]  #: scores that were not computed, and why
    groups: list[str] | None = None  #: the person of each pair, whose pairs are resampled together, if known

    def pair_hash(self) -> str:
        """Of the ordered list of the scored pairs."""
        return list_hash(self.pairs)


def list_hash(pairs: Sequence[Pair]) -> str:
    """32 digits that stand for the ordered list of (source, target)."""
    text = "".join(f"{pair.source or ''}\t{pair.target}\n" for pair in pairs)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def find_given(photos: Photos, system: Method) -> frozenset[Need]:
    """What is known of each pair, as far as measurements need it."""
    found: set[Need] = set()
    if photos.has_poses:
        found.add("poses")
    if photos.has_parsing:
        found.add("parsing")
        if system.makes_maps:
            found.add("made parsing")
    return frozenset(found)


def evaluate(
    system: Method,
    photos: Photos,
    pairs: Sequence[Pair],
    options: Options,
    cache: ScoreCache,
    workers: int = 1,
    training: tuple[Photos, Sequence[str]] | None = None,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> SystemResult:
    """All scores of ``system`` on ``pairs`` that ``options`` ask for.

    ``training`` are the images (and their names) for distances from the training set. A pair that cannot be scored is
    told in the result, and costs nothing else. Raises `InputError` if that is so for all pairs.
    """
    given = find_given(photos, system)
    chosen = suite(options, given)
    job = Job(photos, system, options, given, cache)
    scored_pairs: list[Pair] = []
    outcomes: list[Outcome] = []
    problems: dict[str, list[str]] = {}
    for pair, outcome in zip(pairs, compute_outcomes(job, pairs, workers, advance), strict=True):
        if outcome.problem is None:
            scored_pairs.append(pair)
            outcomes.append(outcome)
        else:
            problems.setdefault(outcome.problem, []).append(pair.file or pair.target)
    if not outcomes:
        reasons = "; ".join(f"{reason} ({len(names)}, such as {names[0]})" for reason, names in problems.items())
        raise InputError(f"{system.name}: none of {len(pairs)} pairs could be scored: {reasons or 'there are none'}")
    sizes = np.stack([outcome.rows[SIZE] for outcome in outcomes])
    people = [photos.person(pair.target) for pair in scored_pairs]
    groups = [person for person in people if person is not None]
    result = SystemResult(system, scored_pairs, problems, int(sizes[:, 2].sum()), [], dict(chosen.missing))
    if len(groups) == len(people):
        result = replace(result, groups=groups)
    references = _References(photos, scored_pairs, training, job, workers, _only_size(sizes))
    for score in chosen.scores:
        if score.kind == "pairs":
            rows = np.stack([outcome.rows[score.measurement] for outcome in outcomes])
            result.scored.append(_of_pairs(score, rows, result.groups, seed))
        else:
            keys = [outcome.keys[score.measurement] for outcome in outcomes]
            _of_set(score, keys, cache, references, result)
    return result


def _only_size(sizes: NDArray[np.floating]) -> tuple[int, int] | None:
    """The size of all results, if they have one."""
    height, width = sizes[0, :2]
    return (int(height), int(width)) if (sizes[:, :2] == sizes[0, :2]).all() else None


def _of_pairs(score: Score, rows: Rows, groups: Sequence[str] | None, seed: int) -> ScoredResult:
    """A score that single pairs have too, from their rows (N, K)."""
    sums: NDArray[np.float64] = rows.astype(np.float64)
    values = score.statistic(sums)
    found = bootstrap(sums, score.statistic, groups, seed)
    undefined = int((~np.isfinite(values)).sum())
    return ScoredResult(score, found.value, found.low, found.high, None, len(sums), undefined, values, sums)


def _of_set(
    score: Score, keys: Sequence[str], cache: ScoreCache, references: _References, result: SystemResult
) -> None:
    """Add a score of the whole set to ``result``, or why it was not computed."""
    nan = float("nan")
    sd = None
    if score.kind == "inception score":
        splits = InceptionScore(len(keys))
        for rows in read_cached_rows(cache, keys):
            splits.add(rows[:, slice(*score.at)])
        value, sd = splits.result()
        why = f"{len(keys)} images are fewer than {splits.splits} splits"
    else:
        true = references.keys(score)
        if true is None:
            result.missing[score.name] = "no training images; give a store with --data, or --train-images"
            return
        value = frechet_distance(*(_moments(cache, own, slice(*score.at)) for own in (keys, true)))
        why = "it takes two images at least on either side"
    if np.isnan(value):
        result.missing[score.name] = why
    else:
        result.scored.append(ScoredResult(score, value, nan, nan, sd, len(keys), 0, None, None))


def _moments(cache: ScoreCache, keys: Sequence[str], at: slice) -> Moments:
    """Those of the columns ``at`` of the rows at ``keys``."""
    found: Moments | None = None
    for rows in read_cached_rows(cache, keys):
        found = found or Moments(rows[:, at].shape[1])
        found.add(rows[:, at])
    return found or Moments(1)


def read_cached_rows(cache: ScoreCache, keys: Sequence[str]) -> Iterator[Rows]:
    """The rows at ``keys``, in their order: blocks (N, K)."""
    for start in range(0, len(keys), _READ_TOGETHER):
        own = keys[start : start + _READ_TOGETHER]
        found = cache.get(list(dict.fromkeys(own)))
        yield np.stack([found[key] for key in own])


class _References:
    """Features of the true images that sets of results are compared with, measured when they are asked for."""

    def __init__(
        self,
        photos: Photos,
        pairs: Sequence[Pair],
        training: tuple[Photos, Sequence[str]] | None,
        job: Job,
        workers: int,
        size: tuple[int, int] | None,
    ) -> None:
        self._sets = {"test": (photos, list(dict.fromkeys(pair.target for pair in pairs))), "train": training}
        self._job, self._workers, self._size = job, workers, size
        self._outcomes: dict[str, list[Outcome]] = {}

    def keys(self, score: Score) -> list[str] | None:
        """Where the rows of the images are kept; None if there are no images."""
        assert score.reference is not None
        found = self._sets[score.reference]
        if found is None or not found[1]:
            return None
        if score.reference not in self._outcomes:
            photos, names = found
            metrics = tuple(name for name in self._job.options.metrics if "fid" in name or "frechet" in name)
            narrow = replace(self._job.options, metrics=metrics)
            job = Job(photos, None, narrow, frozenset(), self._job.cache, self._size)
            pairs = [Pair(None, name) for name in names]
            found_outcomes = list(compute_outcomes(job, pairs, self._workers))
            self._outcomes[score.reference] = [one for one in found_outcomes if one.problem is None]
        return [outcome.keys[score.measurement] for outcome in self._outcomes[score.reference]]
