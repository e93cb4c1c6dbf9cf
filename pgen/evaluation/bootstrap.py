"""Bootstrap intervals: how much a score depends on which pairs happened to be in the list.

Every score here is a function of sums over pairs, such as (joints met) / (joints that count). So a resample is a vector
of how often each group was drawn, such as all pairs of one person, and all resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
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
_BLOCK = 100  # resamples in memory at a time, a divisor of all


@dataclass(frozen=True)
class Interval:
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(
    rows: Columns, statistic: Statistic = ratio_of_sums, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> Interval:
    """The score of ``rows`` (N, K), one a pair, with the 2.5th and 97.5th percentile of its resamples.

    ``groups`` (N) says what is drawn whole, such as the person; else every pair is drawn for itself. The same seed and
    groups draw the same resamples, whatever the rows.
    """
    return _find_interval(*_resample(rows, statistic, groups, seed))


def paired_difference(
    first: Columns,
    second: Columns,
    statistic: Statistic = ratio_of_sums,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Interval:
    """Score of ``first`` minus score of ``second``, both of the same pairs in the same order, resampled together."""
    if first.shape != second.shape:
        raise ValueError(f"rows of the same pairs, not {first.shape} and {second.shape}")
    (a, drawn_a), (b, drawn_b) = (_resample(rows, statistic, groups, seed) for rows in (first, second))
    return _find_interval(a - b, drawn_a - drawn_b)


def score_rows(rows: Columns, statistic: Statistic) -> NDArray[np.float64]:
    """The scores (...) of ``rows`` (..., K)."""
    scores: NDArray[np.float64] = statistic(torch.from_numpy(np.asarray(rows, np.float64))).numpy()
    return scores


def _resample(
    rows: Columns, statistic: Statistic, groups: Sequence[Hashable] | None, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """The score of ``rows``, and those of their resamples; groups are in the order of their first pair."""
    sums = np.asarray(rows, np.float64)
    if groups is not None:
        order: dict[Hashable, int] = {}
        at = np.array([order.setdefault(group, len(order)) for group in groups], np.int64)
        sums = np.zeros((len(order), rows.shape[1]))
        np.add.at(sums, at, rows)
    value = score_rows(sums.sum(0), statistic).item()
    if not len(sums):
        return value, np.full(RESAMPLES, np.nan)
    rng, size, drawn = np.random.default_rng(seed), (_BLOCK, len(sums)), []
    for _ in range(RESAMPLES // _BLOCK):
        chosen = rng.integers(0, len(sums), size) + np.arange(_BLOCK)[:, None] * len(sums)
        times = np.bincount(chosen.ravel(), minlength=chosen.size).reshape(size)  # that a resample has each group
        drawn.append(score_rows(times.astype(np.float64) @ sums, statistic))
    return value, np.concatenate(drawn)


def _find_interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.percentile(drawn, (2.5, 97.5)) if len(drawn) else (np.nan, np.nan)
    return Interval(value, float(low), float(high))
