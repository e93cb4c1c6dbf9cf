from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from pgen.body.joints import Joint
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.seen_people import load_seen_people
from pgen.data.weights import save_weights
from pgen.errors import InputError
from pgen.metrics import pose_detectors
from pgen.metrics.base import DEFAULT_METRICS, METRICS, Batch, Metric, MetricOptions, Need, create_metrics
from pgen.metrics.ssim_kernel import ssim
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.body.definitions import field_mask
from tests.body.poses import STANDING
from tests.data.annotators.fakes import FakePose
from tests.models.people import boxes, standing
from tests.models.pictures import pictures

GIVEN: frozenset[Need] = frozenset(("poses", "parsing", "predicted parsing"))


def batch() -> Batch:
    generated, target = pictures(3, (64, 64))
    maps = boxes().repeat(3, 1, 1)
    return Batch(generated, target, standing().repeat(3, 1, 1), maps, maps.roll(2, 2))


def create(options: MetricOptions) -> list[Metric]:
    return create_metrics(options, GIVEN)[0]


def test_every_name_is_a_score_or_has_a_reason() -> None:
    metrics, missing = create_metrics(MetricOptions(tuple(METRICS)), frozenset())
    names = {metric.name for metric in metrics}
    assert {"ssim-legacy", "psnr", "l1", "st-lpips", "vgg-relu2-distance", "vgg-relu2-frechet-test"} <= names
    absent = {
        "mask-ssim",
        "spt-mask-ssim",
        "body-mask-ssim",
        "figure-ssim",
        "miou",
        "pckh",
        "is",
        "fid",
        "lpips",
        "is-torchvision",
        "fid-torchvision",
    }
    assert absent <= missing.keys()
    assert all(missing.values())
    assert set(DEFAULT_METRICS) < set(METRICS)


def test_scores_keep_their_order() -> None:
    assert list(METRICS) == [
        "ssim", "mask-ssim", "spt-mask-ssim", "body-mask-ssim", "figure-ssim", "psnr", "l1", "is", "mask-is", "fid",
        "lpips", "st-lpips", "pckh", "joint-error", "miou", "parsed-miou", "face-distance",
        "face-found", "face-same", "is-torchvision", "fid-torchvision", "lite0-frechet",
        "vgg-relu2-distance", "vgg-relu2-frechet",
    ]  # fmt: skip


def test_rows_are_those_of_the_functions() -> None:
    names = ("ssim", "mask-ssim", "spt-mask-ssim", "body-mask-ssim", "figure-ssim", "miou")
    metrics = create(MetricOptions(names, ("legacy", "gfla-51")))
    one = batch()
    assert one.parsing is not None
    expected = {
        "ssim-legacy": ssim(one.generated, one.target),
        "ssim-gfla-51": ssim(one.generated, one.target, "gfla-51"),
        "mask-ssim-legacy": ssim(one.generated, one.target, mask=one.field_mask()),
        "spt-mask-ssim-legacy": ssim(one.generated, one.target, mask=one.pose_mask()),
        "body-mask-ssim-legacy": ssim(one.generated, one.target, mask=one.body_mask()),
        "figure-ssim-legacy": ssim(one.generated, one.target, figure=one.parsing > 0),
    }
    for metric in metrics:
        rows = metric.rows(one)
        assert len(rows) == 3
        if metric.name in expected:
            torch.testing.assert_close(metric.score(rows), expected.pop(metric.name))
    assert not expected
    miou = next(metric for metric in metrics if metric.name == "miou")
    assert 0.4 < miou.score(miou.rows(one).sum(0)) < 1


def test_masks_are_made_of_what_is_known_of_a_pose() -> None:
    one = batch()
    one.poses[0, Joint.L_HIP] = torch.nan  # completed from the rest
    one.poses[1] = torch.nan
    masks = one.body_mask()
    covered = masks.flatten(1).sum(1).tolist()
    assert covered[0] == pytest.approx(covered[2], rel=0.1)
    assert covered[2] > 1.5 * int(one.pose_mask()[2].sum())
    for metric in create(MetricOptions(("mask-ssim", "spt-mask-ssim", "body-mask-ssim"), ("legacy", "gaussian-255"))):
        # Without a mask it is not the 1 of equal black images.
        assert metric.score(metric.rows(one)).isfinite().tolist() == [True, False, True]


def test_a_detector_finds_the_joints(tmp_path: Path) -> None:
    path = tmp_path / "pose.safetensors"
    save_weights(path, (64, 64), {"pose": LightPoseDetector(PoseDetectorConfig(width=4))})
    metrics = create(MetricOptions(("pckh", "joint-error"), detector=str(path)))
    assert [metric.name for metric in metrics] == ["pckh", "joint-error"]
    rows = metrics[0].rows(batch())
    assert (rows[:, 1] == 18).all()
    assert (rows[:, 0] <= rows[:, 1]).all()
    assert len(metrics[0].weights["pose detector"]) == 32


def test_identities_differ_where_numbers_may() -> None:
    """Protocols, metrics and weights; not what has no influence."""
    several = {metric.identity for metric in create(MetricOptions(("ssim", "psnr"), ("legacy", "legacy-176")))}
    assert len(several) == 3
    assert {metric.identity for metric in create(MetricOptions(("ssim",), fetch=True))} < several


def test_a_detector_s_library_is_part_of_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mediapipe")
    monkeypatch.setattr(pose_detectors, "load_seen_people", load_seen_people.__wrapped__)
    monkeypatch.setattr(Annotators, "pose_annotator", lambda self: FakePose([]))
    (metric,) = create(MetricOptions(("pckh",), detector="mediapipe"))
    assert metric.versions().keys() == {"pgen", "torch", "mediapipe"}
    assert metric.identity.endswith(f"mediapipe {metric.versions()['mediapipe']}")


def test_unknown_names() -> None:
    with pytest.raises(InputError, match=r"'beauty'.*choose one of ssim"):
        create(MetricOptions(("beauty",)))


@pytest.mark.parametrize("name", ["pose_mask", "field_mask"])
def test_the_mask_is_that_of_the_target_pose(name: str) -> None:
    mask = getattr(batch(), name)()
    assert mask.shape == (3, 1, 64, 64)
    assert mask[0, 0, 25, 32] == 1
    assert mask[0, 0, 2, 2] == 0
    lost = Batch(*pictures(1, (64, 64)), torch.full((1, 18, 2), torch.nan))
    assert not getattr(lost, name)().any()


def test_mask_ssim_of_small_crops_is_as_defined() -> None:
    """On crops of 128×64: images × mask, zeros included, scikit-image's SSIM by the protocol `legacy`."""
    generated, target = pictures(4, (128, 64))
    poses = STANDING * np.float32([0.5, 0.98])[None] + np.random.default_rng(0).normal(0, 3, (4, 18, 2))
    poses = poses.round().astype(np.float32)
    poses[1, [Joint.R_WRIST, Joint.NECK]] = np.nan
    expected = []
    for pose, *images in zip(poses, generated, target, strict=True):
        mask = field_mask(pose, (128, 64))[..., None]
        assert 0.1 < mask.mean() < 0.5
        a, b = (image.permute(1, 2, 0).numpy() * mask for image in images)
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
        expected.append(structural_similarity(a, b, data_range=int(a.max()) - int(a.min()), **options))
    (metric,) = create(MetricOptions(("mask-ssim",)))
    rows = metric.rows(Batch(generated, target, torch.from_numpy(poses)))
    np.testing.assert_allclose(metric.score(rows).numpy(), expected, rtol=0, atol=1e-6)
    assert "radius 4 pixels in any frame" in metric.protocol
