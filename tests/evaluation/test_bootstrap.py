from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from pgen.evaluation.bootstrap import bootstrap, paired_difference
from pgen.metrics.base import mean_rows

rng = np.random.default_rng(0)
VALUES = rng.normal(0.7, 0.1, 400)


def to_rows(values: np.ndarray) -> np.ndarray:
    return mean_rows(torch.from_numpy(values)).numpy()


def test_interval_of_a_mean_is_that_of_theory() -> None:
    found = bootstrap(to_rows(VALUES))
    half = 1.96 * VALUES.std() / 20
    assert found.value == pytest.approx(VALUES.mean())
    assert found.low == pytest.approx(VALUES.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(VALUES.mean() + half, abs=0.1 * half)


def test_it_agrees_with_scipy() -> None:
    own = bootstrap(to_rows(VALUES))
    other = stats.bootstrap((VALUES,), np.mean, n_resamples=2000, method="percentile", rng=0).confidence_interval
    assert own.low == pytest.approx(other.low, abs=1e-3)
    assert own.high == pytest.approx(other.high, abs=1e-3)


def test_the_same_seed_gives_the_same() -> None:
    assert bootstrap(to_rows(VALUES), seed=3) == bootstrap(to_rows(VALUES), seed=3)
    assert bootstrap(to_rows(VALUES), seed=3) != bootstrap(to_rows(VALUES), seed=4)


def test_groups_are_drawn_whole() -> None:
    """Copies of a value in one group tell nothing new; counted one by one they would."""
    copies, people = np.repeat(VALUES[:40], 10), np.repeat(np.arange(40), 10)
    by_person, alone = bootstrap(to_rows(copies), groups=people.tolist()), bootstrap(to_rows(VALUES[:40]))
    assert by_person.value == pytest.approx(alone.value)
    assert (by_person.low, by_person.high) == pytest.approx((alone.low, alone.high))
    narrow = bootstrap(to_rows(copies))
    assert narrow.high - narrow.low < 0.5 * (by_person.high - by_person.low)


def test_what_is_not_finite_does_not_count() -> None:
    odd = np.concatenate([VALUES, [np.nan, np.inf]])
    assert bootstrap(to_rows(odd)).value == pytest.approx(VALUES.mean())


def test_a_score_is_of_sums() -> None:
    assert bootstrap(np.array([[1.0, 2.0], [2.0, 10.0]])).value == 0.25


def test_a_difference_is_paired() -> None:
    """Two scores that rise and fall together differ for certain though their own intervals overlap."""
    better = VALUES + 0.01 + rng.normal(0, 0.001, 400)
    a, b = bootstrap(to_rows(better)), bootstrap(to_rows(VALUES))
    assert a.low < b.high
    found = paired_difference(to_rows(better), to_rows(VALUES))
    assert found.value == pytest.approx(0.01, abs=1e-3)
    assert 0.0095 < found.low < found.value < found.high < 0.0105
    with pytest.raises(ValueError, match="same pairs"):
        paired_difference(to_rows(better), to_rows(VALUES[:9]))


def test_a_difference_worked_out_by_hand() -> None:
    """Three pairs, differences of 1, 2 and 6: mean 3; the least mean of a resample is 1 (1 of 27), the largest 6."""
    found = paired_difference(to_rows(np.array([5.0, 4.0, 9.0])), to_rows(np.array([4.0, 2.0, 3.0])))
    assert (found.value, found.low, found.high) == pytest.approx((3, 1, 6))


def test_nothing_has_no_score() -> None:
    found = bootstrap(np.empty((0, 2)))
    assert np.isnan([found.value, found.low, found.high]).all()
