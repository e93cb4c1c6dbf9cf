from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import FLIP_JOINTS, Joint
from pgen.body.motion import LONGEST_GAP, smooth_motion
from pgen.data.named_poses import load_named_poses

POSE = load_named_poses()["stand"].pose
WALK = [POSE + np.array((2.0 * index, 0)) for index in range(20)]


def test_even_motion_is_left_as_it_is() -> None:
    np.testing.assert_allclose(smooth_motion(WALK), WALK, atol=1e-3)


def test_jitter_becomes_less() -> None:
    noise = np.random.default_rng(0).normal(0, 2, (20, 18, 2))
    before = np.abs(noise).mean()
    assert np.nanmean(np.abs(np.array(smooth_motion(list(np.array(WALK) + noise))) - WALK)) < 0.75 * before


def test_short_gaps_are_filled_and_long_ones_left() -> None:
    frames: list[np.ndarray | None] = [pose.copy() for pose in WALK]
    frames[5] = None
    for index in range(8, 8 + LONGEST_GAP + 1):
        frames[index][Joint.R_WRIST] = np.nan  # type: ignore[index]
    result = smooth_motion(frames)
    np.testing.assert_allclose(result[5], WALK[5], atol=1e-3)
    assert np.isnan(result[10][Joint.R_WRIST]).all()
    assert np.isfinite(result[10][Joint.R_ELBOW]).all()
    assert np.isfinite(result[19][Joint.R_WRIST]).all()


def test_nothing_is_made_up_at_the_ends() -> None:
    result = smooth_motion([None, *WALK, None])
    assert np.isnan(result[0]).all()
    assert np.isnan(result[-1]).all()


def test_swapped_sides_are_mended() -> None:
    frames = [pose.copy() for pose in WALK]
    frames[7] = frames[7][list(FLIP_JOINTS)]
    np.testing.assert_allclose(smooth_motion(frames), WALK, atol=1e-3)


def test_a_single_frame_stays() -> None:
    np.testing.assert_array_equal(smooth_motion([POSE])[0], POSE)


def test_no_pose_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no frame"):
        smooth_motion([None, None])
