"""Heatmaps and limb maps: the golden vectors, and their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.body.heatmaps import heatmap_sigma, heatmaps, limb_maps
from pgen.body.joints import BONES, FLIP_JOINTS, Joint
from tests.body import definitions
from tests.body.poses import SIZES, STANDING, for_one_pose, from_golden, people, points


def test_golden_heatmaps(golden) -> None:
    data = golden("body")
    maps = heatmaps(torch.from_numpy(from_golden(data["src_yx"])), (256, 256)).numpy()
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps[:4], data["heatmap_first4"].astype(np.float32), atol=1e-3)
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), data["heatmap_sum"], rtol=1e-4, atol=1e-3)


@settings(max_examples=25)
@given(points(), SIZES)
def test_heatmaps_are_as_defined(pose: np.ndarray, size: tuple[int, int]) -> None:
    maps = heatmaps(torch.from_numpy(pose)[None], size, sigma=3.5)[0]
    np.testing.assert_allclose(maps, definitions.heatmaps(pose, size, sigma=3.5), atol=1e-6)


def test_blob_is_where_the_joint_is_and_as_wide_as_asked() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[3] = (20, 70)
    maps = for_one_pose(heatmaps)(pose, (128, 64), 5)
    assert maps.shape == (18, 128, 64)
    assert maps[3, 70, 20] == 1
    assert maps[3, 70, 25] == pytest.approx(np.exp(-0.5))
    assert maps[3, 75, 20] == pytest.approx(np.exp(-0.5))
    assert maps[np.arange(18) != 3].max() == 0


def test_sigma_keeps_its_proportion_to_the_frame() -> None:
    assert heatmap_sigma((256, 256)) == 6
    assert heatmap_sigma((128, 64)) == 3
    small = for_one_pose(heatmaps)(STANDING, (128, 128), heatmap_sigma((128, 128)))
    large = for_one_pose(heatmaps)(STANDING * 2, (256, 256), heatmap_sigma((256, 256)))
    np.testing.assert_allclose(small, large[:, ::2, ::2], atol=1e-6)


def limb_maps_by_definition(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bone by bone, pixel by pixel."""
    result = np.zeros((len(BONES), *size))
    scale = 0.15 * max(definitions.torso_length(pose), 1.0)
    for k, (start, end) in enumerate(BONES):
        a, b = pose[start].astype(float), pose[end].astype(float)
        if not np.isfinite([a, b]).all():
            continue
        for row, column in np.ndindex(size):
            point = np.array([column, row])
            square = ((b - a) ** 2).sum()
            share = min(max((point - a) @ (b - a) / square, 0.0), 1.0) if square > 0 else 0.0
            distance = np.hypot(*(point - a - share * (b - a)))
            result[k, row, column] = np.exp(-distance / scale) * (0.5 + 0.5 * share)
    return result


@settings(max_examples=10)
@given(people(), st.sampled_from([(12, 12), (16, 8), (8, 16)]))
def test_limb_maps_are_their_definition(pose: np.ndarray, size: tuple[int, int]) -> None:
    pose = pose * np.float32(size[0] / 128)
    maps = limb_maps(torch.from_numpy(pose)[None], size)
    assert maps.dtype == torch.float32
    np.testing.assert_allclose(maps[0], limb_maps_by_definition(pose, size), atol=1e-4)


@settings(max_examples=20)
@given(people(), SIZES)
def test_limb_maps_of_a_mirrored_or_turned_pose(pose: np.ndarray, size: tuple[int, int]) -> None:
    """Mirrored left to right they are mirrored; with x and y exchanged they are transposed."""
    poses = torch.from_numpy(pose)[None]
    maps = limb_maps(poses, size)
    mirrored = poses[:, list(FLIP_JOINTS)]
    mirrored[..., 0] = size[1] - 1 - mirrored[..., 0]
    order = [BONES.index((Joint(FLIP_JOINTS[a]), Joint(FLIP_JOINTS[b]))) for a, b in BONES]
    torch.testing.assert_close(limb_maps(mirrored, size)[:, order].flip(3), maps, atol=1e-4, rtol=0)
    torch.testing.assert_close(limb_maps(poses.flip(2), size[::-1]), maps.mT, atol=1e-4, rtol=0)
    assert maps.max() <= 1


def test_limb_maps_of_the_unknown() -> None:
    poses = torch.from_numpy(np.stack([STANDING, STANDING, np.full_like(STANDING, np.nan)]))
    poses[1, Joint.R_ELBOW, 0] = torch.nan
    maps = limb_maps(poses, (128, 96))
    assert maps.isfinite().all()
    assert not maps[2].any()
    touched = [k for k, bone in enumerate(BONES) if Joint.R_ELBOW in bone]
    assert not maps[1, touched].any()
    others = [k for k in range(len(BONES)) if k not in touched]
    assert torch.equal(maps[1, others], maps[0, others])
