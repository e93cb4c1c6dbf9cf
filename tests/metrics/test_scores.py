from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.data.annotators.choose import Annotators
from pgen.data.weights import save_weights
from pgen.errors import InputError
from pgen.metrics.bootstrap import mean_iou
from pgen.metrics.compute import Batch
from pgen.metrics.registry import suite
from pgen.metrics.scores import METRICS, USUAL, Options
from pgen.metrics.ssim_kernel import figure_ssim, ssim
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.data.annotators.fakes import FakePose
from tests.models.people import boxes, standing
from tests.models.pictures import pictures

GIVEN = frozenset(("poses", "parsing", "made parsing"))


def batch() -> Batch:
    generated, target = pictures(3, (64, 64))
    maps = boxes().repeat(3, 1, 1)
    return Batch(generated, target, standing().repeat(3, 1, 1), maps, maps.roll(2, 2))


def test_every_name_is_a_score_or_has_a_reason() -> None:
    found = suite(Options(tuple(METRICS)), frozenset())
    names = {score.name for score in found.scores}
    assert {"ssim-legacy", "psnr", "l1", "vgg-relu2-distance", "vgg-relu2-frechet-test"} <= names
    absent = {
        "mask-ssim",
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
    assert absent <= found.missing.keys()
    assert all(found.missing.values())
    assert set(USUAL) < set(METRICS)


def test_rows_are_those_of_the_functions() -> None:
    chosen = suite(
        Options(("ssim", "mask-ssim", "body-mask-ssim", "figure-ssim", "miou"), ("legacy", "gfla-51")), GIVEN
    )
    one = batch()
    assert one.parsing is not None
    expected = {
        "ssim-legacy": ssim(one.generated, one.target),
        "ssim-gfla-51": ssim(one.generated, one.target, "gfla-51"),
        "mask-ssim-legacy": ssim(one.generated, one.target, mask=one.mask()),
        "body-mask-ssim-legacy": ssim(one.generated, one.target, mask=one.body_mask()),
        "figure-ssim-legacy": figure_ssim(one.generated, one.target, one.parsing > 0),
    }
    for score in chosen.scores:
        rows = chosen.measurements[score.measurement].measure(one)
        assert len(rows) == 3
        if score.name in expected:
            np.testing.assert_allclose(score.statistic(rows), expected[score.name])
    miou = next(score for score in chosen.scores if score.name == "miou")
    assert miou.statistic is mean_iou
    assert 0.4 < miou.statistic(chosen.measurements[miou.measurement].measure(one).sum(0)) < 1


def test_masks_are_made_of_what_is_known_of_a_pose() -> None:
    one = batch()
    one.poses[0, Joint.L_HIP] = torch.nan  # completed from the rest
    one.poses[1] = torch.nan
    masks = one.body_mask()
    covered = masks.flatten(1).sum(1).tolist()
    assert covered[0] == pytest.approx(covered[2], rel=0.1)
    assert covered[2] > 1.5 * int(one.mask()[2].sum())
    chosen = suite(Options(("mask-ssim", "body-mask-ssim"), ("legacy", "gaussian-255")), GIVEN)
    for score in chosen.scores:
        values = score.statistic(chosen.measurements[score.measurement].measure(one))
        assert np.isfinite(values).tolist() == [True, False, True]  # without a mask, not the 1 of equal black images


def test_a_detector_judges_poses(tmp_path: Path) -> None:
    path = tmp_path / "pose.safetensors"
    save_weights(path, (64, 64), {"pose": LightPoseDetector(PoseDetectorConfig(width=4))})
    chosen = suite(Options(("pckh", "joint-error"), detector=str(path)), GIVEN)
    assert [score.name for score in chosen.scores] == ["pckh", "joint-error"]
    rows = chosen.measurements[chosen.scores[0].measurement].measure(batch())
    assert (rows[:, 1] == 18).all()
    assert (rows[:, 0] <= rows[:, 1]).all()
    assert len(chosen.scores[0].weights["pose detector"]) == 32


def test_identities_differ_where_numbers_may() -> None:
    """Protocols, metrics and weights; not what has no influence."""
    several = suite(Options(("ssim", "psnr"), ("legacy", "legacy-176")), GIVEN)
    assert len(several.measurements) == 3
    again = suite(replace(Options(("ssim",)), fetch=True), GIVEN)
    assert again.measurements.keys() < several.measurements.keys()


def test_a_detector_s_library_is_part_of_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mediapipe")
    monkeypatch.setattr(Annotators, "pose_annotator", lambda self: FakePose([]))
    (score,) = suite(Options(("pckh",), detector="mediapipe"), GIVEN).scores
    assert score.versions().keys() == {"pgen", "torch", "mediapipe"}
    assert score.measurement.endswith(f"mediapipe {score.versions()['mediapipe']}")


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="--metrics beauty"):
        suite(Options(("beauty",)), GIVEN)


def test_the_mask_is_that_of_the_target_pose() -> None:
    mask = batch().mask()
    assert mask.shape == (3, 1, 64, 64)
    assert mask[0, 0, 25, 32] == 1
    assert mask[0, 0, 2, 2] == 0
    lost = Batch(*pictures(1, (64, 64)), torch.full((1, 18, 2), torch.nan))
    assert not lost.mask().any()
