"""The ten parts: the golden vectors, their definition, and what they mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.body import parts
from pgen.body.affine import NOWHERE
from pgen.body.heatmaps import heatmaps
from pgen.body.joints import FLIP_JOINTS, HEAD_JOINTS, Joint, known_joints
from pgen.body.masks import pose_masks
from pgen.body.parts import MIRRORED_LIMBS
from tests.body import definitions
from tests.body.definitions import apply_affine
from tests.body.poses import SIZES, STANDING, for_one_pose, from_golden, people, points, rescaled

torso_length, part_masks, part_corners, part_affines, face_affine = (
    for_one_pose(function)
    for function in (parts.torso_lengths, parts.part_masks, parts.part_corners, parts.part_affines, parts.face_affines)
)


def head_box(pose: np.ndarray, size: tuple[int, int]) -> list[float]:
    """Left, top, right, bottom."""
    corners = part_corners(pose, size)[1]
    return [*corners[0], *corners[2]]


PARTS = ("body", "head", *(f"{side}_{limb}" for limb in ("thigh", "calf", "upper_arm", "forearm") for side in "rl"))

#: Each part's mirror image.
MIRRORED_PARTS = [0, 1, *(2 + limb for limb in MIRRORED_LIMBS)]


@pytest.mark.parametrize("suffix", ["", "_128"])
def test_golden_affines(golden, suffix: str) -> None:
    data = golden("body")
    expected = data[f"affine{suffix}"]
    source, target = (torch.from_numpy(from_golden(data[f"{end}_yx{suffix}"])) for end in ("src", "dst"))
    affines = parts.part_affines(source, target)
    assert affines.dtype == torch.float32
    np.testing.assert_allclose(affines.flatten(2), expected[..., :6], atol=1e-3)


@pytest.mark.parametrize(("suffix", "side"), [("", 256), ("_128", 128)])
def test_golden_part_masks(golden, suffix: str, side: int) -> None:
    data = golden("body")
    expected = np.unpackbits(data[f"part_masks{suffix}_packed"], axis=-1).astype(bool)
    masks = parts.part_masks(torch.from_numpy(from_golden(data[f"dst_yx{suffix}"])), (side, side))
    assert (masks.numpy() != expected).sum(axis=(2, 3)).max() <= 4


def test_golden_face_transform(golden) -> None:
    data = golden("body")
    affines = parts.face_affines(torch.from_numpy(from_golden(data["src_yx"])), (256, 256))
    np.testing.assert_allclose(affines.flatten(1), data["face_affine"][:, 0, :6], atol=1e-3)


@settings(max_examples=40)
@given(points(), SIZES)
def test_part_masks_and_face_are_as_defined(pose: np.ndarray, size: tuple[int, int]) -> None:
    poses = torch.from_numpy(pose)[None]
    masks = parts.part_masks(poses, size)
    assert masks.dtype == torch.bool
    # Pixels that lie on an edge are on either side of it, by the last bit.
    assert (masks[0].numpy() != definitions.part_masks(pose, size)).sum(axis=(1, 2)).max() <= 4
    np.testing.assert_allclose(parts.face_affines(poses, size)[0], definitions.face_affine(pose, size), atol=1e-5)
    np.testing.assert_allclose(parts.torso_lengths(poses), [definitions.torso_length(pose)], rtol=1e-6)
    np.testing.assert_allclose(
        parts.part_corners(poses, size)[0], definitions.part_corners(pose, size), rtol=1e-5, atol=1e-3
    )


@settings(max_examples=40)
@given(points(), points())
def test_affines_are_as_defined_on_any_points(source: np.ndarray, target: np.ndarray) -> None:
    expected = definitions.part_affines(source, target)
    affines = parts.part_affines(torch.from_numpy(source)[None], torch.from_numpy(target)[None])[0].numpy()
    scale = np.abs(expected).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(affines / scale, expected / scale, atol=1e-6)


@settings(max_examples=40)
@given(people(), people())
def test_affines_are_as_defined_on_people(source: np.ndarray, target: np.ndarray) -> None:
    expected = definitions.part_affines(source, target)
    affines = parts.part_affines(torch.from_numpy(source)[None], torch.from_numpy(target)[None])[0]
    np.testing.assert_allclose(affines, expected, rtol=1e-5, atol=1e-3)


def test_torso_length_is_the_root_mean_square_of_both_sides() -> None:
    pose = STANDING.copy()
    pose[[Joint.R_SHOULDER, Joint.R_HIP, Joint.L_SHOULDER, Joint.L_HIP]] = (0, 0), (0, 30), (20, 0), (20, 10)
    assert torso_length(pose) == pytest.approx(np.sqrt((900 + 100) / 2))


@pytest.mark.parametrize("joint", [Joint.R_SHOULDER, Joint.L_HIP])
def test_without_the_whole_torso_nothing_is_found(joint: Joint) -> None:
    pose = STANDING.copy()
    pose[joint] = np.nan
    assert torso_length(pose) == 0
    masks = part_masks(pose, (128, 128))
    assert masks[0].all()
    assert not masks[1:].any()
    assert np.isnan(part_corners(pose, (128, 128))).all()
    limbs_and_body = [0, *range(2, 10)]
    np.testing.assert_array_equal(part_affines(STANDING, pose)[limbs_and_body], [NOWHERE] * 9)
    np.testing.assert_array_equal(part_affines(pose, STANDING)[limbs_and_body], [NOWHERE] * 9)


def test_limb_is_lengthened_and_as_broad_as_the_torso_says() -> None:
    pose = STANDING.copy()
    pose[[Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.R_HIP, Joint.L_HIP]] = (
        (50, 20),
        (70, 20),
        (50, 70),
        (70, 70),
    )
    pose[[Joint.R_KNEE, Joint.R_ANKLE]] = (50, 90), (50, 110)
    quad = part_corners(pose, (128, 128), 0.5)[PARTS.index("r_calf")]
    assert sorted(set(quad[:, 0])) == pytest.approx([40, 60])  # 0.2 of the torso's 50 to either side
    assert sorted(set(quad[:, 1])) == pytest.approx([88, 121])  # 110 + 0.5 · (110 − 88)


@settings(max_examples=25)
@given(people(whole=False), st.integers(-9, 9), st.integers(-9, 9))
def test_masks_move_with_the_pose(pose: np.ndarray, dx: int, dy: int) -> None:
    moved = part_masks(pose + np.float32([dx, dy]) + 20, (168, 168))
    there = part_masks(pose + 20, (168, 168))
    inside = np.s_[:, 9:-9, 9:-9]
    differing = np.roll(there, (dy, dx), axis=(1, 2))[inside] != moved[inside]
    assert differing.sum(axis=(1, 2)).max() <= 4  # pixels at the edges, where rounding decides


@settings(max_examples=25)
@given(people(), people(), st.integers(-30, 30), st.integers(-30, 30), st.sampled_from([0.5, 1.5, 2]))
def test_affines_follow_the_frame(source, target, dx: int, dy: int, factor: float) -> None:
    affines = part_affines(source, target)
    moved = part_affines(source + np.float32([dx, dy]), target)
    found = ~(affines == NOWHERE).all(axis=(1, 2))
    np.testing.assert_array_equal(found, ~(moved == NOWHERE).all(axis=(1, 2)))
    grid = np.array([(40.0, 30), (80, 50), (60, 100)])
    for before, after in zip(affines[found], moved[found], strict=True):
        carried = apply_affine(before, grid) + np.array([dx, dy])
        np.testing.assert_allclose(apply_affine(after, grid), carried, atol=2e-3 * np.abs(before).max())
    scaled = part_affines(rescaled(source, factor), rescaled(target, factor))
    for before, after in zip(affines[found], scaled[found], strict=True):
        carried = rescaled(apply_affine(before, grid), factor)
        there = apply_affine(after, rescaled(grid, factor))
        np.testing.assert_allclose(there, carried, atol=2e-3 * np.abs(before).max())


@settings(max_examples=25)
@given(people())
def test_affines_of_a_pose_onto_itself_are_identities(pose: np.ndarray) -> None:
    affines = part_affines(pose, pose)
    found = ~(affines == NOWHERE).all(axis=(1, 2))
    assert found[0]
    np.testing.assert_allclose(affines[found], [np.eye(2, 3)] * found.sum(), atol=1e-6)


@settings(max_examples=25)
@given(people(whole=False))
def test_mirrored_pose_swaps_its_parts(pose: np.ndarray) -> None:
    mirrored = pose[list(FLIP_JOINTS)] * np.float32([-1, 1]) + np.float32([127, 0])
    expected = part_masks(pose, (128, 128))[MIRRORED_PARTS, :, ::-1]
    masks = part_masks(mirrored, (128, 128))
    limbs = np.delete(np.arange(10), 1)
    assert (masks != expected)[limbs].sum(axis=(1, 2)).max() <= 4
    # The head square rounds down and excludes its last column, so its mirror image may be two columns away.
    columns = [np.flatnonzero(mask[1].any(axis=0)) for mask in (masks, expected)]
    if len(columns[0]):
        assert abs(columns[0][0] - columns[1][0]) <= 2


def test_missing_limb_of_the_target_is_nowhere_and_its_mask_empty() -> None:
    target = STANDING.copy()
    target[Joint.R_WRIST] = np.nan
    part = PARTS.index("r_forearm")
    np.testing.assert_array_equal(part_affines(STANDING, target)[part], NOWHERE)
    masks = part_masks(target, (128, 128))
    assert np.flatnonzero(~masks.any(axis=(1, 2))).tolist() == [part]


def test_limb_missing_in_the_source_borrows_the_mirrored_one() -> None:
    source = STANDING.copy()
    source[Joint.R_WRIST] = np.nan
    right, left = PARTS.index("r_forearm"), PARTS.index("l_forearm")
    quads = part_corners(STANDING, (128, 128))
    borrowed = apply_affine(part_affines(source, STANDING)[right], quads[right])
    np.testing.assert_allclose(borrowed, quads[left], atol=1e-6)
    source[Joint.L_ELBOW] = np.nan
    np.testing.assert_array_equal(part_affines(source, STANDING)[right], NOWHERE)


def test_head_needs_a_joint_known_in_both_poses() -> None:
    source, target = STANDING.copy(), STANDING.copy()
    source[[Joint.NOSE, Joint.R_EYE, Joint.R_EAR]] = np.nan
    target[[Joint.L_EYE, Joint.L_EAR]] = np.nan
    np.testing.assert_array_equal(part_affines(source, target)[1], NOWHERE)
    target[Joint.L_EYE] = STANDING[Joint.L_EYE]
    np.testing.assert_allclose(part_affines(source, target)[1], np.eye(2, 3), atol=1e-6)


def test_limb_of_no_length_is_nowhere() -> None:
    pose = STANDING.copy()
    pose[Joint.L_KNEE] = pose[Joint.L_HIP]
    part = PARTS.index("l_thigh")
    np.testing.assert_array_equal(part_affines(STANDING, pose)[part], NOWHERE)
    np.testing.assert_array_equal(part_affines(pose, STANDING)[part], NOWHERE)


def test_head_box_is_clipped_to_frames_that_are_not_square() -> None:
    pose = STANDING.copy()  # torso length about 33: half a side is 13
    half = int(0.4 * torso_length(pose))
    pose[list(HEAD_JOINTS)] = 60, 5
    assert head_box(pose, (128, 64)) == [60 - half, 0, 64, 5 + half]
    pose[list(HEAD_JOINTS)] = 5, 60
    assert head_box(pose, (64, 128)) == [0, 60 - half, 5 + half, 64]
    pose[list(HEAD_JOINTS)] = 5, 100
    assert np.isnan(head_box(pose, (64, 128))).all()
    np.testing.assert_array_equal(face_affine(pose, (64, 128)), NOWHERE)


def test_face_affine_carries_the_frame_onto_the_head_box() -> None:
    size = (128, 96)
    left, top, right, bottom = head_box(STANDING, size)
    corners = apply_affine(face_affine(STANDING, size), np.array([(0, 0), (96, 128)]))
    np.testing.assert_allclose(corners, [(left, top), (right, bottom)])


def test_corners_are_those_of_the_parts() -> None:
    pose = STANDING.copy()
    pose[Joint.R_ANKLE] = np.nan
    corners = part_corners(pose, (128, 96))
    assert corners.shape == (10, 4, 2)
    np.testing.assert_array_equal(corners[0], pose[[Joint.R_HIP, Joint.L_HIP, Joint.L_SHOULDER, Joint.R_SHOULDER]])
    left, top, right, bottom = head_box(pose, (128, 96))
    np.testing.assert_array_equal(corners[1], [(left, top), (right, top), (right, bottom), (left, bottom)])
    assert np.isnan(corners).all(axis=(1, 2)).nonzero()[0].tolist() == [PARTS.index("r_calf")]
    pose[Joint.L_HIP] = np.nan
    assert np.isnan(part_corners(pose, (128, 96))).all()


def test_samples_do_not_touch_each_other() -> None:
    """A pose with nothing known gives nothing, no NaN, and leaves its neighbours alone."""
    unknown = torch.full((18, 2), torch.nan)
    half_known = torch.from_numpy(STANDING).clone()
    half_known[8:11] = torch.nan
    standing = torch.from_numpy(STANDING)
    batch = torch.stack([unknown, standing, half_known])
    alone = standing[None]
    size = (128, 128)
    assert known_joints(batch).sum(dim=1).tolist() == [0, 18, 15]
    assert parts.torso_lengths(batch)[[0, 2]].tolist() == [0, 0]
    for form in (heatmaps, parts.part_masks, pose_masks, parts.face_affines):
        result = form(batch, size)
        assert torch.equal(result[1:2], form(alone, size))
        assert not result.isnan().any()
    affines = parts.part_affines(batch, batch)
    assert torch.equal(affines[1:2], parts.part_affines(alone, alone))
    np.testing.assert_array_equal(affines[0], np.broadcast_to(NOWHERE, (10, 2, 3)))
    assert affines.isfinite().all()
    assert not heatmaps(batch, size)[0].any()
    assert not parts.part_masks(batch, size)[0, 1:].any()


def test_joint_with_one_unknown_coordinate_is_unknown() -> None:
    poses = torch.from_numpy(STANDING)[None].clone()
    poses[0, 3, 0] = torch.nan
    assert not known_joints(poses)[0, 3]
    assert not heatmaps(poses, (128, 128))[0, 3].any()


def test_double_precision_stays() -> None:
    poses = torch.from_numpy(STANDING)[None].double()
    for result in (
        parts.part_affines(poses, poses),
        heatmaps(poses, (16, 8)),
        pose_masks(poses, (16, 8)),
        parts.face_affines(poses, (16, 8)),
        parts.torso_lengths(poses),
    ):
        assert result.dtype == torch.float64


def test_empty_batch() -> None:
    none = torch.zeros(0, 18, 2)
    assert parts.part_masks(none, (16, 8)).shape == (0, 10, 16, 8)
    assert parts.part_affines(none, none).shape == (0, 10, 2, 3)
