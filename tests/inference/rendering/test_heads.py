from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import FLIP_JOINTS, HEAD_JOINTS, Joint
from pgen.inference.rendering.heads import fit_similarity, plan_head
from tests.data.examples import STANDING

HEAD = list(HEAD_JOINTS)
AWAY = STANDING.copy()
AWAY[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE]] = np.nan
MOVE = np.array([7.0, -3.0], np.float32)
TURNED = STANDING.copy()
TURNED[Joint.NOSE, 0] = 60


def test_a_kept_head_goes_with_the_neck() -> None:
    plan = plan_head(STANDING, TURNED + MOVE, "auto", is_bundled=True)
    np.testing.assert_allclose(plan.pose[HEAD], STANDING[HEAD] + MOVE, atol=1e-4)
    assert plan.carry is not None
    np.testing.assert_allclose(plan.carry[:, 2], (-7, 3), atol=1e-4)


@pytest.mark.parametrize("is_bundled", [False, True])
def test_backs_show_no_face_unless_it_is_asked_for(is_bundled: bool) -> None:
    assert plan_head(STANDING, AWAY, "auto", is_bundled).carry is None
    assert plan_head(STANDING, AWAY, "keep", is_bundled).carry is not None


@pytest.mark.parametrize("wish", ["auto", "follow"])
def test_a_pose_without_a_head_says_nothing_of_it(wish: str) -> None:
    headless = STANDING + MOVE
    headless[HEAD] = np.nan
    plan = plan_head(STANDING, headless, wish, is_bundled=False)  # type: ignore[arg-type]
    np.testing.assert_allclose(plan.pose[HEAD], STANDING[HEAD] + MOVE, atol=1e-4)
    assert plan.note is not None
    assert "no head" in plan.note


def test_heads_are_mirrored_to_be_seen_from_behind() -> None:
    away = AWAY * (-1, 1) + np.float32((128, 0)) + MOVE
    away[list(HEAD_JOINTS)] = np.nan
    away[Joint.R_EAR] = (70, 20)
    plan = plan_head(STANDING, away, "auto", is_bundled=True)
    assert plan.is_turned
    assert plan.carry is not None
    ears = plan.pose[[Joint.R_EAR, Joint.L_EAR]]
    np.testing.assert_allclose(ears, STANDING[[Joint.R_EAR, Joint.L_EAR]] * (-1, 1) + (128, 0) + MOVE, atol=1e-3)
    np.testing.assert_allclose(
        ears @ plan.carry[:, :2].T + plan.carry[:, 2], STANDING[[Joint.R_EAR, Joint.L_EAR]], atol=1e-3
    )
    assert np.isnan(plan.pose[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE]]).all()


def test_heads_that_look_to_the_other_side_are_mirrored() -> None:
    left = TURNED.copy()
    left[Joint.NOSE, 0] = 58
    right = left * (-1, 1) + np.float32((128, 0))
    right = right[list(FLIP_JOINTS)] + MOVE
    plan = plan_head(left, right.astype(np.float32), "auto", is_bundled=False)
    assert plan.carry is not None
    assert plan.note is not None
    assert "mirrored" in plan.note
    np.testing.assert_allclose(plan.pose, right, atol=1e-3)
    places = right[HEAD] @ plan.carry[:, :2].T + plan.carry[:, 2]
    np.testing.assert_allclose(places, left[np.asarray(FLIP_JOINTS)[HEAD]], atol=1e-3)


def test_a_small_turn_is_followed_and_a_large_one_told() -> None:
    tilted = STANDING.copy()
    tilted[HEAD] = (tilted[HEAD] - STANDING[Joint.NECK]) @ np.array([[0.9, 0.2], [-0.2, 0.9]]) + STANDING[Joint.NECK]
    plan = plan_head(STANDING, tilted, "auto", is_bundled=False)
    assert plan.carry is not None
    np.testing.assert_allclose(plan.pose, tilted, atol=1e-4)
    np.testing.assert_allclose(tilted[HEAD] @ plan.carry[:, :2].T + plan.carry[:, 2], STANDING[HEAD], atol=1e-2)
    far = plan_head(STANDING, TURNED, "follow", is_bundled=False)
    assert far.carry is None
    assert far.note is not None


def test_heads_that_show_too_little_are_kept_or_mirrored_unless_they_are_to_follow() -> None:
    ears = [Joint.R_EAR, Joint.L_EAR]
    profile = STANDING.copy()
    profile[[Joint.L_EYE, Joint.L_EAR]] = np.nan
    profile[Joint.NOSE, 0], profile[Joint.R_EYE, 0], profile[Joint.R_EAR, 0] = 72, 70, 62
    kept = plan_head(profile, STANDING + MOVE, "auto", is_bundled=False)
    assert kept.carry is not None
    assert kept.note is not None
    assert "it is kept" in kept.note
    np.testing.assert_allclose(kept.pose[HEAD], profile[HEAD] + MOVE, atol=1e-3)
    painted = plan_head(profile, STANDING + MOVE, "follow", is_bundled=False)
    assert painted.carry is None
    assert np.isfinite(painted.pose[ears]).all()
    slightly = STANDING.copy()
    slightly[Joint.NOSE, 0] = 62  # to the other side
    mirrored = plan_head(profile, slightly, "auto", is_bundled=False)
    assert mirrored.note is not None
    assert "mirrored" in mirrored.note


def test_a_body_in_profile_says_where_its_head_looks() -> None:
    aside = STANDING.copy()
    aside[:, 0] = 64 + 0.1 * (STANDING[:, 0] - 64)
    aside[[Joint.R_EAR, Joint.L_EAR, Joint.R_EYE]] = np.nan
    aside[Joint.NOSE, 0] = 72
    plan = plan_head(STANDING, aside, "auto", is_bundled=False)
    assert plan.note is not None
    assert "the pose does" in plan.note


def test_similarities_do_not_squash() -> None:
    points = np.array([(0.0, 0), (10, 0), (0, 10), (10, 10)])
    found = fit_similarity(points, points * (1, 3))[:, :2]
    np.testing.assert_allclose(found @ found.T, np.eye(2) * found[0, 0] ** 2, atol=1e-9)
