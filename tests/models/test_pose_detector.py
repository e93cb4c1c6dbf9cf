from __future__ import annotations

import pytest
import torch

from pgen.body.heatmaps import strided_heatmaps
from pgen.models.pose_detector import (
    LightPoseDetector,
    PoseDetectorConfig,
    ResnetPoseDetector,
    find_joints,
)
from pgen.models.registry import build_network
from tests.models.people import views


@pytest.mark.parametrize("size", [(64, 64), (64, 32), (48, 80)])
@pytest.mark.parametrize(("kind", "built"), [("light", LightPoseDetector), ("resnet", ResnetPoseDetector)])
def test_heatmaps_of_the_promised_size(kind: str, built: type, size: tuple[int, int]) -> None:
    detector = build_network("pose", PoseDetectorConfig(kind, width=4, blocks=1))
    assert isinstance(detector, built)
    found = detector(torch.randn(2, 3, *size))
    assert found.shape == strided_heatmaps(torch.zeros(2, 18, 2), size, detector.stride).shape
    found.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in detector.parameters())


def test_gradients_in_bf16_where_the_smallest_level_is_one_column() -> None:
    detector = LightPoseDetector(PoseDetectorConfig(width=4))
    images = torch.rand(2, 3, 16, 16)
    for _ in range(8):
        with torch.autocast("cpu", torch.bfloat16):
            found = detector(images)
        for size in (64, 256, 1024, 4096, 16384):
            torch.full((size,), torch.nan)  # what is freed now, and may be taken again unwritten
        found.square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in detector.parameters())


def test_the_paper_s_ends_in_tanh() -> None:
    found = ResnetPoseDetector(PoseDetectorConfig("resnet", width=4, blocks=1))(100 * torch.randn(1, 3, 32, 32))
    assert found.abs().max() <= 1


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
def test_peaks_are_the_joints(stride: int, size: tuple[int, int]) -> None:
    poses = views(size, count=3).poses
    poses[1, 7] = torch.nan
    inside = ((poses >= 0) & (poses < torch.tensor([size[1], size[0]]))).all(-1)
    found = find_joints(strided_heatmaps(poses, size, stride), stride)
    assert inside.sum() > 40
    assert (found - poses)[inside].abs().max() <= stride / 2 + 1e-3  # the nearest heatmap pixel
    assert found[1, 7].isnan().all()


def test_weak_peaks_are_missing() -> None:
    heatmaps = torch.zeros(1, 18, 8, 8)
    heatmaps[0, 0, 2, 3], heatmaps[0, 1, 5, 6] = 0.5, 0.1
    found = find_joints(heatmaps, 2)
    assert found[0, 0].tolist() == [6.5, 4.5]
    assert found[0, 1:].isnan().all()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="hourglass"):
        PoseDetectorConfig("hourglass")
