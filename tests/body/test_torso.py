"""Torsos completed from proportions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.body.joints import JOINTS, TORSO_JOINTS, Joint
from pgen.body.torso import complete_torso, list_missing_torso
from pgen.errors import InputError
from tests.body.definitions import torso_length
from tests.body.poses import STANDING

SIZE = (128, 128)


def without(*joints: Joint) -> np.ndarray:
    pose = STANDING.copy()
    pose[list(joints)] = np.nan
    return pose


def only(*joints: Joint) -> np.ndarray:
    pose = np.full_like(STANDING, np.nan)
    pose[list(joints)] = STANDING[list(joints)]
    return pose


def test_complete_pose_is_left_alone() -> None:
    completed, warnings = complete_torso(STANDING, SIZE)
    np.testing.assert_array_equal(completed, STANDING)
    assert completed is not STANDING
    assert warnings == []
    assert list_missing_torso(STANDING) == ()


@settings(max_examples=60)
@given(st.sets(st.sampled_from([*TORSO_JOINTS]), min_size=1))
def test_any_gap_in_a_standing_person_is_filled_near_the_truth(gone: set[Joint]) -> None:
    pose = without(*gone)
    assert set(list_missing_torso(pose)) == {JOINTS[joint] for joint in gone}
    before = pose.copy()
    completed, warnings = complete_torso(pose, SIZE)
    np.testing.assert_array_equal(pose, before)
    assert completed.dtype == np.float32
    assert list_missing_torso(completed) == ()
    assert np.linalg.norm(completed - STANDING, axis=1).max() < 8
    kept = [joint for joint in Joint if joint not in gone]
    np.testing.assert_array_equal(completed[kept], STANDING[kept])
    assert len(warnings) == len(gone)
    for joint, warning in zip([joint for joint in TORSO_JOINTS if joint in gone], warnings, strict=True):
        assert warning.startswith(JOINTS[joint])
        assert "\n" not in warning


@pytest.mark.parametrize(
    "pose",
    [
        only(Joint.R_HIP, Joint.L_HIP),
        only(Joint.R_SHOULDER, Joint.L_SHOULDER),
        only(Joint.L_SHOULDER, Joint.L_HIP),
        only(Joint.R_SHOULDER, Joint.NECK),
        only(Joint.NECK, Joint.R_HIP),
        only(Joint.NECK, Joint.NOSE),
        only(Joint.L_SHOULDER, Joint.R_HIP, Joint.L_HIP),
    ],
)
def test_little_is_enough(pose: np.ndarray) -> None:
    completed, _ = complete_torso(pose, SIZE)
    assert list_missing_torso(completed) == ()
    assert torso_length(completed) == pytest.approx(torso_length(STANDING), rel=0.35)
    shoulders, hips = completed[[2, 5]].mean(axis=0), completed[[8, 11]].mean(axis=0)
    assert hips[1] > shoulders[1]


def test_shoulder_is_mirrored_at_the_neck() -> None:
    completed, warnings = complete_torso(without(Joint.L_SHOULDER), SIZE)
    expected = 2 * STANDING[Joint.NECK] - STANDING[Joint.R_SHOULDER]
    np.testing.assert_allclose(completed[Joint.L_SHOULDER], expected)
    assert "mirrored" in warnings[0]


def test_hips_of_someone_seen_from_behind_stay_on_their_side() -> None:
    pose = STANDING * [-1, 1] + [127, 0]
    pose[[Joint.R_HIP, Joint.L_HIP]] = np.nan
    completed, _ = complete_torso(pose, SIZE)
    assert completed[Joint.R_HIP, 0] > completed[Joint.L_HIP, 0]
    assert completed[Joint.R_HIP, 1] > completed[Joint.R_SHOULDER, 1]


def test_torso_seen_from_the_side_is_not_shrunk() -> None:
    pose = without(Joint.R_HIP, Joint.L_HIP)
    pose[[Joint.R_SHOULDER, Joint.L_SHOULDER]] = (63, 30), (65, 33)
    completed, _ = complete_torso(pose, SIZE)
    assert torso_length(completed) == pytest.approx(torso_length(STANDING), rel=0.2)
    assert abs(completed[[8, 11], 0].mean() - 64) < 2


def test_leaning_shoulders_lean_the_torso() -> None:
    turn = np.deg2rad(30)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    leaning = ((STANDING - 64) @ rotation.T + 64).astype(np.float32)
    pose = leaning.copy()
    pose[[Joint.R_HIP, Joint.L_HIP]] = np.nan
    completed, _ = complete_torso(pose, SIZE)
    assert np.linalg.norm(completed - leaning, axis=1).max() < 8


def test_joint_outside_the_frame_is_kept_and_said() -> None:
    completed, warnings = complete_torso(without(Joint.R_HIP, Joint.L_HIP), (50, 128))
    assert completed[Joint.R_HIP, 1] > 50
    assert all("outside the frame" in warning for warning in warnings)


@pytest.mark.parametrize("joints", [(), (Joint.L_HIP,), (Joint.R_SHOULDER,), (Joint.NOSE, Joint.R_HIP), (Joint.NECK,)])
def test_too_little_is_refused_in_one_line(joints: tuple[Joint, ...]) -> None:
    with pytest.raises(InputError, match="too little of the torso") as refusal:
        complete_torso(only(*joints), SIZE)
    assert "\n" not in str(refusal.value)


def test_shoulders_in_one_point_are_refused() -> None:
    pose = only(Joint.R_SHOULDER, Joint.L_SHOULDER)
    pose[Joint.L_SHOULDER] = pose[Joint.R_SHOULDER]
    with pytest.raises(InputError):
        complete_torso(pose, SIZE)
