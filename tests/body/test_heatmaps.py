"""Heatmaps of one pose and of batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pgen.body import batched
from pgen.body.heatmaps import heatmap_sigma, heatmaps
from tests.body.poses import SIZES, STANDING, from_golden, points


def one_by_one(poses: np.ndarray) -> np.ndarray:
    return np.stack([heatmaps(pose, (256, 256)) for pose in poses])


def as_batch(poses: np.ndarray) -> np.ndarray:
    return batched.heatmaps(torch.from_numpy(poses), (256, 256)).numpy()


@pytest.mark.parametrize("form", [one_by_one, as_batch])
def test_golden_heatmaps(golden, form) -> None:
    data = golden("body")
    maps = form(from_golden(data["src_yx"]))
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps[:4], data["heatmap_first4"].astype(np.float32), atol=1e-3)
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), data["heatmap_sum"], rtol=1e-4, atol=1e-3)


@settings(max_examples=25)
@given(points(), SIZES)
def test_forms_agree(pose: np.ndarray, size: tuple[int, int]) -> None:
    maps = batched.heatmaps(torch.from_numpy(pose)[None], size, sigma=3.5)[0]
    np.testing.assert_allclose(maps, heatmaps(pose, size, sigma=3.5), atol=1e-6)


def test_blob_is_where_the_joint_is_and_as_wide_as_asked() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[3] = (20, 70)
    maps = heatmaps(pose, (128, 64), sigma=5)
    assert maps.shape == (18, 128, 64)
    assert maps[3, 70, 20] == 1
    assert maps[3, 70, 25] == pytest.approx(np.exp(-0.5))
    assert maps[3, 75, 20] == pytest.approx(np.exp(-0.5))
    assert maps[np.arange(18) != 3].max() == 0


def test_sigma_keeps_its_proportion_to_the_frame() -> None:
    assert heatmap_sigma((256, 256)) == 6
    assert heatmap_sigma((128, 64)) == 3
    small = heatmaps(STANDING, (128, 128), heatmap_sigma((128, 128)))
    large = heatmaps(STANDING * 2, (256, 256), heatmap_sigma((256, 256)))
    np.testing.assert_allclose(small, large[:, ::2, ::2], atol=1e-6)
