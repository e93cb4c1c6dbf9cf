"""The pose mask, the field mask and the body mask: against their definitions, pixel by pixel, and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pgen.body.joints import ARMS, FLIP_JOINTS, HEAD_JOINTS, TORSO_JOINTS, Joint, known_joints
from pgen.body.limb_fields import complete_legs, find_spine
from pgen.body.masks import (
    FOOT,
    HALF_TORSO,
    HAND,
    HEAD,
    LIMB,
    MARGIN,
    body_masks,
    dilate,
    field_masks,
    pose_mask_radius,
    pose_masks,
)
from pgen.data.readers.synthetic import synthetic_example
from tests.body import definitions
from tests.body.definitions import fill_polygon, torso_length
from tests.body.poses import SIZES, STANDING, from_golden, people, points, rescaled


@pytest.mark.parametrize("reach", [0, 1, 5, 40])
def test_dilated_are_the_largest_of_a_square(reach: int) -> None:
    values = torch.randn(2, 3, 30, 21, generator=torch.Generator().manual_seed(0))
    square = torch.nn.functional.pad(values, [reach] * 4, value=-torch.inf)
    expected = square.unfold(2, 2 * reach + 1, 1).unfold(3, 2 * reach + 1, 1).amax((-1, -2))
    assert torch.equal(dilate(values, reach), expected)


def pose_mask(pose: np.ndarray, size: tuple[int, int], radius: float) -> np.ndarray:
    masks = pose_masks(torch.from_numpy(pose)[None], size, radius)
    assert masks.shape == (1, 1, *size)
    assert masks.dtype == torch.float32
    return masks[0, 0].numpy() > 0


def differing(pose: np.ndarray, size: tuple[int, int], radius: float) -> int:
    return int((pose_mask(pose, size, radius) != definitions.pose_mask(pose, size, radius)).sum())


@settings(max_examples=30)
@given(points(), SIZES)
def test_pose_masks_are_as_defined_on_any_points(pose: np.ndarray, size: tuple[int, int]) -> None:
    assert differing(pose, size, 4) <= 4


@settings(max_examples=30)
@given(people())
def test_pose_masks_are_as_defined_on_people(pose: np.ndarray) -> None:
    assert differing(pose, (128, 128), 2.5) <= 4


def test_bone_is_as_thick_as_asked() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[Joint.R_SHOULDER], pose[Joint.R_ELBOW] = (20, 10), (20, 40)
    mask = pose_mask(pose, (60, 50), 4)
    assert np.flatnonzero(mask[25]).tolist() == list(range(16, 25))
    assert np.flatnonzero(mask[:, 20]).tolist() == list(range(6, 45))
    assert not mask[7, 16]  # the ends are round


def test_torso_is_filled_only_if_all_of_it_is_known() -> None:
    center = (np.s_[40:60], np.s_[60:69])
    assert pose_mask(STANDING, (128, 128), 2)[center].all()
    without_hip = STANDING.copy()
    without_hip[Joint.L_HIP] = np.nan
    assert not pose_mask(without_hip, (128, 128), 2)[center].all()


def test_closing_bridges_narrow_gaps() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[[Joint.R_SHOULDER, Joint.R_ELBOW]] = (10, 10), (10, 40)
    pose[[Joint.L_SHOULDER, Joint.L_ELBOW]] = (18, 10), (18, 40)
    assert pose_mask(pose, (50, 30), 2)[25, 10:19].all()  # three pixels apart
    pose[[Joint.L_SHOULDER, Joint.L_ELBOW], 0] = 20
    assert not pose_mask(pose, (50, 30), 2)[25, 10:21].all()


def test_no_joints_no_mask_and_no_nan() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    assert pose_masks(torch.from_numpy(pose)[None], (32, 16)).sum() == 0


def test_radius_keeps_its_proportion_to_the_frame() -> None:
    assert pose_mask_radius((256, 256)) == 4
    assert pose_mask_radius((128, 64)) == 2


@pytest.mark.parametrize("frame", ["256x256", "128x64", "256x176"])
def test_golden_field_masks(golden, frame: str) -> None:
    data = golden("field_mask")
    count, height, width = (int(side) for side in data[f"shape_{frame}"])
    expected = np.unpackbits(data[f"mask_{frame}"], count=count * height * width).reshape(count, height, width) > 0
    masks = field_masks(torch.from_numpy(from_golden(data[f"pose_yx_{frame}"])), (height, width))
    assert masks.shape == (count, 1, height, width)
    differing = (masks[:, 0].numpy() > 0) != expected
    assert (differing.sum((1, 2)) <= 0.005 * expected.sum((1, 2))).all()


@settings(max_examples=20)
@given(people(missing=0.3), SIZES)
def test_field_mask_equals_its_definition(pose: np.ndarray, size: tuple[int, int]) -> None:
    mask = field_masks(torch.from_numpy(pose)[None], size)[0, 0].numpy() > 0
    assert (mask != definitions.field_mask(pose, size)).sum() <= 4


def test_field_mask_by_hand() -> None:
    """A forearm is a rectangle of four pixels to either side, a joint alone a disc; the torso stays hollow."""
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[Joint.R_ELBOW], pose[Joint.R_WRIST], pose[Joint.L_ANKLE] = (20, 10), (20, 40), (40, 50)
    pose[Joint.R_EAR] = pose[Joint.L_EAR] = (50, 6)  # where both are one, there is no direction
    mask = field_masks(torch.from_numpy(pose)[None], (60, 64))[0, 0].numpy() > 0
    assert np.flatnonzero(mask[25, :30]).tolist() == list(range(16, 25))
    assert np.flatnonzero(mask[:, 20]).tolist() == list(range(7, 44))  # discs reach less than four pixels
    assert np.flatnonzero(mask[50]).tolist() == list(range(37, 44))
    assert np.flatnonzero(mask[6]).tolist() == list(range(47, 54))
    pose[list(TORSO_JOINTS)] = (10, 10), (50, 10), (10, 55), (50, 55)
    assert not field_masks(torch.from_numpy(pose)[None], (60, 64))[0, 0, 20:40, 28:40].any()


SIZE = (128, 128)


def body_mask(pose: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    masks = body_masks(torch.from_numpy(pose)[None], size)
    assert masks.shape == (1, 1, *size)
    assert masks.dtype == torch.float32
    return masks[0, 0].numpy() > 0


def cover_bone(start: np.ndarray, end: np.ndarray, radius: float, size: tuple[int, int]) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), axis=-1)
    bone = end - start
    share = np.clip((grid - start) @ bone / max(bone @ bone, 1e-12), 0, 1)
    return np.linalg.norm(grid - start - share[..., None] * bone, axis=-1) <= radius


def body_mask_by_definition(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    joints, unit, there = pose.astype(np.float64), torso_length(pose), known_joints(pose)
    bones = []
    for hip, knee, ankle in complete_legs(pose)[0]:
        bones += [(hip, knee), (knee, ankle + FOOT * (ankle - knee))]
    for shoulder, elbow, wrist in ARMS:
        if there[[shoulder, elbow]].all():
            bones.append((joints[shoulder], joints[elbow]))
        if there[[elbow, wrist]].all():
            bones.append((joints[elbow], joints[wrist] + HAND * (joints[wrist] - joints[elbow])))
    mask = np.zeros(size, bool)
    head = [joint for joint in HEAD_JOINTS if there[joint]]
    if head:
        middle = joints[head].mean(axis=0)
        mask |= cover_bone(middle, middle, (HEAD + MARGIN) * unit, size)
        if there[Joint.NECK]:
            bones.append((joints[Joint.NECK], middle))
    for start, end in bones:
        mask |= cover_bone(start, end, (LIMB + MARGIN) * unit, size)
    corners = []
    for ends in ((Joint.R_SHOULDER, Joint.L_SHOULDER), (Joint.R_HIP, Joint.L_HIP)):
        first, second = joints[list(ends)]
        half = (second - first) / 2
        if np.linalg.norm(half) < HALF_TORSO * unit:
            half = HALF_TORSO * unit * np.array([-1, 1]) * find_spine(pose)[::-1]
        corners += [(first + second) / 2 - half, (first + second) / 2 + half]
    for ends in combinations(corners, 2):
        mask |= cover_bone(*ends, MARGIN * unit, size)
    for triangle in combinations(corners, 3):
        mask |= fill_polygon(np.array(triangle), size)
    return mask


@settings(max_examples=40)
@given(people(missing=0.3), SIZES)
def test_body_mask_equals_its_definition(pose: np.ndarray, size: tuple[int, int]) -> None:
    assert (body_mask(pose, size) != body_mask_by_definition(pose, size)).sum() <= 4


@settings(max_examples=20)
@given(people())
def test_body_mask_is_mirrored_with_the_pose(pose: np.ndarray) -> None:
    mirrored = pose[list(FLIP_JOINTS)]
    mirrored[:, 0] = 127 - mirrored[:, 0]
    assert (body_mask(mirrored) != body_mask(pose)[:, ::-1]).sum() <= 4


@settings(max_examples=20)
@given(people())
def test_body_mask_grows_with_the_person(pose: np.ndarray) -> None:
    large = body_mask(rescaled(pose, 2), (256, 256)).reshape(128, 2, 128, 2).mean(axis=(1, 3))
    assert np.abs(large - body_mask(pose)).mean() < 0.02


def test_body_mask_by_hand() -> None:
    """Torso of length 100 from (70, 60) to (130, 160), right arm held out level; all else missing."""
    pose = np.full((18, 2), np.nan, np.float32)
    pose[Joint.R_SHOULDER], pose[Joint.L_SHOULDER] = (70, 60), (130, 60)
    pose[Joint.R_HIP], pose[Joint.L_HIP] = (70, 160), (130, 160)
    pose[Joint.R_ELBOW], pose[Joint.R_WRIST] = (40, 60), (20, 60)
    mask = body_mask(pose, (400, 200))
    assert np.flatnonzero(mask[110]).tolist() == list(range(64, 137))  # the torso and 6 pixels on either side
    assert np.flatnonzero(mask[:, 30]).tolist() == list(range(43, 78))  # the arm: 17 pixels up and down
    assert mask[60, 0]  # the hand: 0.3·20 beyond the wrist at 20, and 17 more
    assert mask[60 - 17, 14]
    assert not mask[60 - 17, 13]
    assert np.flatnonzero(mask[:, 100]).tolist() == list(range(54, 167))  # no neck, no head; between the legs nothing
    assert np.flatnonzero(mask[300]).tolist() == [*range(53, 88), *range(113, 148)]  # legs that had to be assumed
    # To the ankles at 160 + 170, and 0.15·85 and 17 more.
    assert np.flatnonzero(mask[:, 70])[-1] == int(160 + 170 + 0.15 * 85 + 17)


def test_body_mask_head_is_a_disc_about_its_joints() -> None:
    pose = STANDING.copy()
    center = pose[list(HEAD_JOINTS)].mean(axis=0)
    radius = (HEAD + MARGIN) * torso_length(pose)
    columns = np.flatnonzero(body_mask(pose)[round(float(center[1]))])
    assert columns[[0, -1]] == pytest.approx([center[0] - radius, center[0] + radius], abs=1)
    pose[list(HEAD_JOINTS)] = np.nan
    assert not body_mask(pose)[:10].any()


def test_body_mask_seen_from_the_side_the_torso_keeps_a_width() -> None:
    pose = np.full((18, 2), np.nan, np.float32)
    pose[[Joint.R_SHOULDER, Joint.L_SHOULDER]] = (60, 20)
    pose[[Joint.R_HIP, Joint.L_HIP]] = (60, 70)
    assert np.flatnonzero(body_mask(pose)[45]).tolist() == list(range(46, 75))  # (0.22 + 0.06)·50 to either side


def test_body_mask_holds_the_bones_and_needs_a_torso() -> None:
    mask = body_mask(STANDING)
    assert (mask | ~pose_mask(STANDING, SIZE, 2)).all()
    without = STANDING.copy()
    without[Joint.L_HIP] = np.nan
    both = body_masks(torch.from_numpy(np.stack([without, STANDING])), SIZE)
    assert not both[0].any()
    np.testing.assert_array_equal(both[1, 0].numpy() > 0, mask)


def test_body_mask_covers_about_what_a_clothed_figure_covers() -> None:
    shares = []
    for index in range(6):
        example = synthetic_example(3, index, 0, (64, 64))
        mask, figure = body_mask(example.pose, (64, 64)), example.parsing > 0
        shares.append(((mask & figure).sum() / figure.sum(), (mask & figure).sum() / mask.sum()))
    recall, precision = np.mean(shares, axis=0)
    assert recall > 0.85
    assert precision > 0.65
