"""The pose mask, one pose and batches."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings

from pgen.body import batched
from pgen.body.joints import Joint
from pgen.body.pose_mask import pose_mask, pose_mask_radius
from tests.body.poses import SIZES, STANDING, people, points


def differing(pose: np.ndarray, size: tuple[int, int], radius: float) -> int:
    batch = batched.pose_masks(torch.from_numpy(pose)[None], size, radius)
    assert batch.shape == (1, 1, *size)
    assert batch.dtype == torch.float32
    return int((batch[0, 0].numpy() != pose_mask(pose, size, radius)).sum())


@settings(max_examples=30)
@given(points(), SIZES)
def test_forms_agree_on_any_points(pose: np.ndarray, size: tuple[int, int]) -> None:
    assert differing(pose, size, 4) <= 4


@settings(max_examples=30)
@given(people())
def test_forms_agree_on_people(pose: np.ndarray) -> None:
    assert differing(pose, (128, 128), 2.5) <= 4


def test_bone_is_as_thick_as_asked() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[Joint.R_SHOULDER], pose[Joint.R_ELBOW] = (20, 10), (20, 40)
    mask = pose_mask(pose, (60, 50), radius=4)
    assert np.flatnonzero(mask[25]).tolist() == list(range(16, 25))
    assert np.flatnonzero(mask[:, 20]).tolist() == list(range(6, 45))
    assert not mask[7, 16]  # the ends are round


def test_torso_is_filled_only_if_all_of_it_is_known() -> None:
    centre = (np.s_[40:60], np.s_[60:69])
    assert pose_mask(STANDING, (128, 128), 2)[centre].all()
    without_hip = STANDING.copy()
    without_hip[Joint.L_HIP] = np.nan
    assert not pose_mask(without_hip, (128, 128), 2)[centre].all()


def test_closing_bridges_narrow_gaps() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[[Joint.R_SHOULDER, Joint.R_ELBOW]] = (10, 10), (10, 40)
    pose[[Joint.L_SHOULDER, Joint.L_ELBOW]] = (18, 10), (18, 40)
    assert pose_mask(pose, (50, 30), radius=2)[25, 10:19].all()  # three pixels apart
    pose[[Joint.L_SHOULDER, Joint.L_ELBOW], 0] = 20
    assert not pose_mask(pose, (50, 30), radius=2)[25, 10:21].all()


def test_no_joints_no_mask_and_no_nan() -> None:
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    assert not pose_mask(pose, (32, 16)).any()
    assert batched.pose_masks(torch.from_numpy(pose)[None], (32, 16)).sum() == 0


def test_radius_keeps_its_proportion_to_the_frame() -> None:
    assert pose_mask_radius((256, 256)) == 4
    assert pose_mask_radius((128, 64)) == 2
