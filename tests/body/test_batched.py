"""Batches of poses: the same as the numpy forms one by one, and the golden vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.body import batched, parts
from pgen.body.affine import NOWHERE
from pgen.body.joints import BONES, FLIP_JOINTS, Joint
from tests.body.poses import SIZES, STANDING, from_golden, people, points


@pytest.mark.parametrize("suffix", ["", "_128"])
def test_golden_affines(golden, suffix: str) -> None:
    data = golden("body")
    expected = data[f"affine{suffix}"]
    source, target = (torch.from_numpy(from_golden(data[f"{end}_yx{suffix}"])) for end in ("src", "dst"))
    affines = batched.part_affines(source, target)
    assert affines.dtype == torch.float32
    np.testing.assert_allclose(affines.flatten(2), expected[..., :6], atol=1e-3)


@pytest.mark.parametrize(("suffix", "side"), [("", 256), ("_128", 128)])
def test_golden_part_masks(golden, suffix: str, side: int) -> None:
    data = golden("body")
    expected = np.unpackbits(data[f"part_masks{suffix}_packed"], axis=-1).astype(bool)
    masks = batched.part_masks(torch.from_numpy(from_golden(data[f"dst_yx{suffix}"])), (side, side))
    assert (masks.numpy() != expected).sum(axis=(2, 3)).max() <= 4


def test_golden_face_transform(golden) -> None:
    data = golden("body")
    affines = batched.face_affines(torch.from_numpy(from_golden(data["src_yx"])), (256, 256))
    np.testing.assert_allclose(affines.flatten(1), data["face_affine"][:, 0, :6], atol=1e-3)


@settings(max_examples=40)
@given(points(), SIZES)
def test_part_masks_and_face_agree_with_one_pose(pose: np.ndarray, size: tuple[int, int]) -> None:
    poses = torch.from_numpy(pose)[None]
    masks = batched.part_masks(poses, size)
    assert masks.dtype == torch.bool
    np.testing.assert_array_equal(masks[0].numpy(), parts.part_masks(pose, size))
    np.testing.assert_allclose(batched.face_affines(poses, size)[0], parts.face_affine(pose, size), atol=1e-5)
    np.testing.assert_allclose(batched.torso_lengths(poses), [parts.torso_length(pose)], rtol=1e-6)
    np.testing.assert_allclose(
        batched.part_corners(poses, size)[0], parts.part_corners(pose, size), rtol=1e-5, atol=1e-3
    )


@settings(max_examples=40)
@given(points(), points())
def test_affines_agree_with_one_pose_on_any_points(source: np.ndarray, target: np.ndarray) -> None:
    expected = parts.part_affines(source, target)
    affines = batched.part_affines(torch.from_numpy(source)[None], torch.from_numpy(target)[None])[0].numpy()
    scale = np.abs(expected).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(affines / scale, expected / scale, atol=1e-6)


@settings(max_examples=40)
@given(people(), people())
def test_affines_agree_with_one_pose_on_people(source: np.ndarray, target: np.ndarray) -> None:
    expected = parts.part_affines(source, target)
    affines = batched.part_affines(torch.from_numpy(source)[None], torch.from_numpy(target)[None])[0]
    np.testing.assert_allclose(affines, expected, rtol=1e-5, atol=1e-3)


def test_samples_do_not_touch_each_other() -> None:
    """A pose with nothing known gives nothing, no NaN, and leaves its neighbours alone."""
    unknown = torch.full((18, 2), torch.nan)
    half_known = torch.from_numpy(STANDING).clone()
    half_known[8:11] = torch.nan
    standing = torch.from_numpy(STANDING)
    batch = torch.stack([unknown, standing, half_known])
    alone = standing[None]
    size = (128, 128)
    assert batched.known_joints(batch).sum(dim=1).tolist() == [0, 18, 15]
    assert batched.torso_lengths(batch)[[0, 2]].tolist() == [0, 0]
    for form in (batched.heatmaps, batched.part_masks, batched.pose_masks, batched.face_affines):
        result = form(batch, size)
        assert torch.equal(result[1:2], form(alone, size))
        assert not result.isnan().any()
    affines = batched.part_affines(batch, batch)
    assert torch.equal(affines[1:2], batched.part_affines(alone, alone))
    np.testing.assert_array_equal(affines[0], np.broadcast_to(NOWHERE, (10, 2, 3)))
    assert affines.isfinite().all()
    assert not batched.heatmaps(batch, size)[0].any()
    assert not batched.part_masks(batch, size)[0, 1:].any()


def test_joint_with_one_unknown_coordinate_is_unknown() -> None:
    poses = torch.from_numpy(STANDING)[None].clone()
    poses[0, 3, 0] = torch.nan
    assert not batched.known_joints(poses)[0, 3]
    assert not batched.heatmaps(poses, (128, 128))[0, 3].any()


def test_double_precision_stays() -> None:
    poses = torch.from_numpy(STANDING)[None].double()
    for result in (
        batched.part_affines(poses, poses),
        batched.heatmaps(poses, (16, 8)),
        batched.pose_masks(poses, (16, 8)),
        batched.face_affines(poses, (16, 8)),
        batched.torso_lengths(poses),
    ):
        assert result.dtype == torch.float64


def test_empty_batch() -> None:
    none = torch.zeros(0, 18, 2)
    assert batched.part_masks(none, (16, 8)).shape == (0, 10, 16, 8)
    assert batched.part_affines(none, none).shape == (0, 10, 2, 3)


def limb_maps_by_definition(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bone by bone, pixel by pixel."""
    result = np.zeros((len(BONES), *size))
    scale = 0.15 * max(parts.torso_length(pose), 1.0)
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
    maps = batched.limb_maps(torch.from_numpy(pose)[None], size)
    assert maps.dtype == torch.float32
    np.testing.assert_allclose(maps[0], limb_maps_by_definition(pose, size), atol=1e-4)


@settings(max_examples=20)
@given(people(), SIZES)
def test_limb_maps_of_a_mirrored_or_turned_pose(pose: np.ndarray, size: tuple[int, int]) -> None:
    """Mirrored left to right they are mirrored; with x and y exchanged they are transposed."""
    poses = torch.from_numpy(pose)[None]
    maps = batched.limb_maps(poses, size)
    mirrored = poses[:, list(FLIP_JOINTS)]
    mirrored[..., 0] = size[1] - 1 - mirrored[..., 0]
    order = [BONES.index((Joint(FLIP_JOINTS[a]), Joint(FLIP_JOINTS[b]))) for a, b in BONES]
    torch.testing.assert_close(batched.limb_maps(mirrored, size)[:, order].flip(3), maps, atol=1e-4, rtol=0)
    torch.testing.assert_close(batched.limb_maps(poses.flip(2), size[::-1]), maps.mT, atol=1e-4, rtol=0)
    assert maps.max() <= 1


def test_limb_maps_of_the_unknown() -> None:
    poses = torch.from_numpy(np.stack([STANDING, STANDING, np.full_like(STANDING, np.nan)]))
    poses[1, Joint.R_ELBOW, 0] = torch.nan
    maps = batched.limb_maps(poses, (128, 96))
    assert maps.isfinite().all()
    assert not maps[2].any()
    touched = [k for k, bone in enumerate(BONES) if Joint.R_ELBOW in bone]
    assert not maps[1, touched].any()
    others = [k for k in range(len(BONES)) if k not in touched]
    assert torch.equal(maps[1, others], maps[0, others])
