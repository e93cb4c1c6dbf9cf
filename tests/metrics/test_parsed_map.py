from __future__ import annotations

import numpy as np
import pytest
import torch

from pgen.metrics.base import METRICS, Batch, MetricOptions, UnavailableError, create_metrics
from pgen.metrics.parsed_map import ParsedMeanIou
from pgen.metrics.pose_detectors import AnnotatorDetector
from tests.body.poses import STANDING
from tests.data.annotators.fakes import FakeParser, FakePose


def make_metric(poses: list[np.ndarray]) -> ParsedMeanIou:
    metric = ParsedMeanIou.__new__(ParsedMeanIou)
    metric.detector = AnnotatorDetector(FakePose(poses))
    metric.parser = FakeParser(np.repeat(np.array([[0, 3], [3, 3]], np.uint8), 4, 0).repeat(4, 1))
    return metric


def test_the_map_that_is_found_is_compared_with_the_plan() -> None:
    images = torch.arange(2, dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 3, 8, 8)
    plan = torch.zeros(2, 8, 8, dtype=torch.uint8)
    plan[:, 4:] = 3
    batch = Batch(images, images, torch.zeros(2, 18, 2), plan + 1, plan + 2, plan)
    metric = make_metric([STANDING])
    # Of background 16 of 32 pixels, of what is worn 32 of 48.
    assert metric.score(metric.rows(batch).sum(0)).item() == pytest.approx((16 / 32 + 32 / 48) / 2)
    np.testing.assert_array_equal(metric.parser.asked[0].pose, STANDING)  # type: ignore[attr-defined]
    assert metric.parser.asked[0].silhouette.min() == 1  # type: ignore[attr-defined]
    nobody = make_metric([])
    assert nobody.score(nobody.rows(batch).sum(0)).item() == pytest.approx(32 / 64 / 2)


def test_without_truth_what_compares_with_it_is_left_out() -> None:
    metrics, missing = create_metrics(MetricOptions(("ssim", "vgg-relu2-frechet"), has_truth=False), frozenset())
    assert [metric.name for metric in metrics] == ["vgg-relu2-frechet-photos"]
    assert "true photo" in missing["ssim"]
    usual, absent = create_metrics(MetricOptions(has_truth=False), frozenset())
    assert {"lite0-frechet-photos", "vgg-relu2-frechet-photos"} >= {metric.name for metric in usual}
    assert {"pckh", "parsed-miou", "face-same", "is"} <= absent.keys()
    assert not {"ssim", "lpips", "miou", "psnr"} & absent.keys()
    assert all(METRICS[name].needs_truth for name in ("ssim", "miou", "lpips", "figure-ssim"))
    with pytest.raises(UnavailableError):
        ParsedMeanIou("parsed-miou", MetricOptions())
