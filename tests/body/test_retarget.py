from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgen.body.joints import BONES, Joint, known_joints
from pgen.body.retarget import Pose, retarget_motion
from pgen.data.named_poses import load_named_poses

NAMES = sorted(load_named_poses())
poses = st.sampled_from(NAMES).map(lambda name: load_named_poses()[name].pose.astype(np.float64))
shifts = st.tuples(st.floats(-50, 50), st.floats(-50, 50))
#: Joints that a pose can do without.
loose = st.sets(st.sampled_from([joint for joint in Joint if joint not in (2, 5, 8, 11)]))


def retarget(target: Pose, source: Pose) -> Pose:
    return retarget_motion([target], source)[0]


def length(pose: np.ndarray, start: int, end: int) -> float:
    return float(np.linalg.norm(pose[start] - pose[end]))


@given(poses, loose)
def test_onto_itself_nothing_changes(pose: np.ndarray, missing: set[int]) -> None:
    pose[list(missing)] = np.nan
    np.testing.assert_allclose(retarget(pose, pose), pose, atol=1e-3)


@given(poses, poses, loose)
def test_missing_joints_stay_missing(target: np.ndarray, source: np.ndarray, missing: set[int]) -> None:
    target[list(missing)] = np.nan
    np.testing.assert_array_equal(known_joints(retarget(target, source)), known_joints(target))


@given(poses, st.floats(0.3, 3), shifts)
def test_size_and_place_of_the_target_do_not_matter(pose: np.ndarray, scale: float, shift: tuple[float, float]) -> None:
    source = load_named_poses()["stand"].pose
    np.testing.assert_allclose(retarget(pose * scale + shift, source), retarget(pose, source), atol=0.02)


@given(poses)
def test_directions_of_bones_are_the_targets(target: np.ndarray) -> None:
    result = retarget(target, load_named_poses()["stand"].pose * (0.5, 0.5))
    for start, end in BONES[1:3] + BONES[7:9]:
        if known_joints(target)[[start, end]].all() and length(target, start, end) > 2:
            before, after = target[end] - target[start], result[end] - result[start]
            assert before @ after == pytest.approx(np.linalg.norm(before) * np.linalg.norm(after), rel=1e-3)


def test_unforeshortened_bones_get_the_sources_lengths() -> None:
    source = load_named_poses()["stand"].pose.astype(np.float64)
    target = source.copy()
    for knee, ankle in ((Joint.R_KNEE, Joint.R_ANKLE), (Joint.L_KNEE, Joint.L_ANKLE)):
        target[ankle] = target[knee] + 1.1 * (target[ankle] - target[knee])  # longer shins
    np.testing.assert_allclose(retarget(target, source), source, atol=0.5)


def test_foreshortening_is_kept() -> None:
    source = load_named_poses()["stand"].pose.astype(np.float64)
    target = source * 2
    half = target[Joint.R_ELBOW] + 0.5 * (target[Joint.R_WRIST] - target[Joint.R_ELBOW])
    target[Joint.R_WRIST] = half
    result = retarget(target, source)
    ends = Joint.R_ELBOW, Joint.R_WRIST
    assert length(result, *ends) == pytest.approx(0.5 * length(source, *ends), rel=0.02)


def test_feet_stand_where_the_sources_do() -> None:
    source, target = load_named_poses()["stand"].pose, load_named_poses()["step-up"].pose
    ankles = [Joint.R_ANKLE, Joint.L_ANKLE]
    assert retarget(target, source)[ankles, 1].max() == pytest.approx(source[ankles, 1].max(), abs=0.1)


def test_a_motion_moves_on_in_proportion() -> None:
    pose = load_named_poses()["walk"].pose
    first, second = retarget_motion([pose, pose + np.array((30, 0))], pose * 0.5)
    np.testing.assert_allclose(first, pose * 0.5, atol=0.01)
    np.testing.assert_allclose(second - first, np.where(known_joints(pose)[:, None], (15, 0), np.nan), atol=0.01)


def test_poses_without_a_torso_are_refused() -> None:
    pose = load_named_poses()["walk"].pose.copy()
    pose[Joint.R_HIP] = np.nan
    with pytest.raises(ValueError, match="hips"):
        retarget(pose, load_named_poses()["walk"].pose)
