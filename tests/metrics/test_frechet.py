from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric

from pgen.metrics.fid import Moments, compute_moments, frechet_distance, frechet_distance_of_few
from pgen.metrics.inception_score import inception_score

rng = np.random.default_rng(0)
FIRST = (rng.normal(size=(300, 48)) @ rng.normal(size=(48, 48)) + 40).astype(np.float32)
SECOND = (rng.normal(size=(90, 48)) @ rng.normal(size=(48, 48)) * 1.4 + 41).astype(np.float32)


def moments(features: np.ndarray, together: int = 37) -> Moments:
    return compute_moments(features[start : start + together] for start in range(0, len(features), together))


def fidelity_fid(first: np.ndarray, second: np.ndarray) -> float:
    statistics = [fid_features_to_statistics(torch.from_numpy(one)) for one in (first, second)]
    return fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


@pytest.mark.parametrize("count", [90, 20])  # fewer images than features: a singular covariance
def test_frechet_distance_equals_torch_fidelity(count: int) -> None:
    expected = fidelity_fid(FIRST, SECOND[:count])
    assert expected > 10
    assert frechet_distance(moments(FIRST), moments(SECOND[:count])) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance_of_few(FIRST, SECOND[:count]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("count", [90, 20, 2])
def test_features_themselves_give_the_distance_of_their_moments(count: int) -> None:
    expected = frechet_distance(moments(FIRST[:40]), moments(SECOND[:count]))
    assert frechet_distance_of_few(FIRST[:40], SECOND[:count]) == pytest.approx(expected, rel=1e-5)


def test_moments_are_those_of_numpy() -> None:
    found = moments(FIRST)
    np.testing.assert_allclose(found.mean, FIRST.mean(0, dtype=np.float64))
    np.testing.assert_allclose(found.covariance, np.cov(FIRST.astype(np.float64), rowvar=False), atol=1e-9)


def test_the_same_images_are_at_no_distance() -> None:
    assert frechet_distance(moments(FIRST), moments(FIRST[::-1])) == pytest.approx(0, abs=1e-3)


def test_one_image_has_no_covariance() -> None:
    assert np.isnan(frechet_distance(moments(FIRST), moments(SECOND[:1])))


@pytest.mark.parametrize("count", [10, 57, 300])
def test_inception_score_equals_torch_fidelity_in_list_order(count: int) -> None:
    logits = FIRST[:count] - 40
    mean, sd = inception_score((logits[start : start + 16] for start in range(0, count, 16)), count)
    expected = isc_features_to_metric(torch.from_numpy(logits), shuffle=False)
    assert mean == pytest.approx(expected["inception_score_mean"], rel=1e-4)
    assert sd == pytest.approx(expected["inception_score_std"], rel=1e-4, abs=1e-9)


def test_fewer_images_than_splits_have_no_score() -> None:
    assert np.isnan(inception_score([FIRST[:9]], 9)).all()
