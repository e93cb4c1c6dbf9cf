"""Bootstrap intervals: how much a score depends on which pairs happened to be in the list.

Every score here is a function of sums over pairs: a mean is (sum of values) / (number), PCKh (joints met) / (joints
that count), mIoU a mean of (intersections) / (unions). So a resample is a vector of how often each group was drawn, and
all resamples are one matrix product. Groups, such as all pairs of one person, are drawn whole.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.metrics.base import ratio_of_sums

Columns = NDArray[np.float64]
#: Sums (..., K) → scores (...), as `Metric.score`.
Statistic = Callable[[Tensor], Tensor]

RESAMPLES = 2000
_BLOCK = 100  # resamples in memory at a time


@dataclass(frozen=True)
class Interval:
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(
    rows: Columns,
    statistic: Statistic = ratio_of_sums,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The score of ``rows`` (N, K), one a pair, with the 2.5th and 97.5th percentile of its resamples.

    ``groups`` (N) says what is drawn whole, such as the person; else every pair is drawn for itself. The same seed and
    groups draw the same resamples, whatever the rows.
    """
    sums = _sum_groups(rows, groups)
    return _interval(score_rows(sums.sum(0), statistic).item(), _scores(sums, statistic, seed, resamples))


def paired_difference(
    first: Columns,
    second: Columns,
    statistic: Statistic = ratio_of_sums,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Score of ``first`` minus score of ``second``, both of the same pairs in the same order, resampled together."""
    if first.shape != second.shape:
        raise ValueError(f"rows of the same pairs, not {first.shape} and {second.shape}")
    a, b = _sum_groups(first, groups), _sum_groups(second, groups)
    drawn = _scores(a, statistic, seed, resamples) - _scores(b, statistic, seed, resamples)
    value = score_rows(a.sum(0), statistic) - score_rows(b.sum(0), statistic)
    return _interval(value.item(), drawn)


def score_rows(rows: Columns, statistic: Statistic) -> NDArray[np.float64]:
    """The scores (...) of ``rows`` (..., K)."""
    scores: NDArray[np.float64] = statistic(torch.from_numpy(np.asarray(rows, np.float64))).numpy()
    return scores


def _sum_groups(rows: Columns, groups: Sequence[Hashable] | None) -> Columns:
    """Sums of each group, groups in the order of their first pair."""
    rows = np.asarray(rows, np.float64)
    if groups is None:
        return rows
    order: dict[Hashable, int] = {}
    at = np.array([order.setdefault(group, len(order)) for group in groups], np.int64)
    sums = np.zeros((len(order), rows.shape[1]))
    np.add.at(sums, at, rows)
    return sums


def _scores(sums: Columns, statistic: Statistic, seed: int, resamples: int) -> NDArray[np.float64]:
    if not len(sums):
        return np.full(resamples, np.nan)
    return np.concatenate([score_rows(draws @ sums, statistic) for draws in _draws(len(sums), seed, resamples)])


def _draws(count: int, seed: int, resamples: int) -> Iterator[Columns]:
    """How often each of ``count`` groups is in each resample: blocks (R, count)."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _BLOCK):
        chosen = rng.integers(0, count, (min(_BLOCK, resamples - start), count))
        chosen += np.arange(len(chosen))[:, None] * count
        yield np.bincount(chosen.ravel(), minlength=len(chosen) * count).reshape(-1, count).astype(np.float64)


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(value, float(low), float(high))
