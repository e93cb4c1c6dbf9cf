from __future__ import annotations

import numpy as np
import pytest
import torch

from pgen.body.joints import ARMS, HEAD_JOINTS, Joint
from pgen.body.labels import Label
from pgen.inference.rendering.bones import find_crossing, find_sources, match_bodies, turn_foot
from tests.data.examples import STANDING

STILL = np.array([[1.0, 0, 0], [0, 1, 0]])


def carried(target: np.ndarray, points: list[tuple[float, float]], label: Label) -> np.ndarray:
    body = match_bodies(STANDING, target, STILL)
    found = find_sources(body, torch.tensor(points), torch.full((len(points),), int(label)))
    return found.numpy()


def test_the_same_pose_moves_nothing() -> None:
    points = [(64.0, 45.0), (50.0, 40.0), (56.0, 80.0), (72.0, 100.0)]
    for label in (Label.UPPER, Label.PANTS, Label.SKIRT):
        np.testing.assert_allclose(carried(STANDING, points, label), points, atol=0.1)


def test_what_is_beyond_a_wrist_is_carried_rigidly() -> None:
    target = STANDING.copy()
    elbow, wrist = STANDING[Joint.L_ELBOW], STANDING[Joint.L_WRIST]
    way = wrist - elbow
    # Half as long, and turned by a quarter.
    target[Joint.L_WRIST] = elbow + np.array([-way[1], way[0]]) / 2
    across = way / np.linalg.norm(way)
    fingers = target[Joint.L_WRIST] + 5 * np.array([-across[1], across[0]])
    np.testing.assert_allclose(carried(target, [tuple(fingers)], Label.L_ARM)[0], wrist + 5 * across, atol=0.1)


def test_nothing_carries_what_both_poses_do_not_show() -> None:
    target = STANDING.copy()
    target[[Joint.R_ELBOW, Joint.R_WRIST]] = np.nan
    assert np.isnan(carried(target, [(48.0, 55.0)], Label.R_ARM)).all()


@pytest.mark.parametrize("missing", [[Joint.L_WRIST], [Joint.R_ANKLE, Joint.L_ANKLE]])
@pytest.mark.parametrize("label", [Label.UPPER, Label.SKIRT, Label.PANTS])
def test_a_joint_that_the_target_lacks_leaves_the_rest_as_it_is(missing: list[Joint], label: Label) -> None:
    target = STANDING.copy()
    target[missing] = np.nan
    points = [(64.0, 45.0), (60.0, 70.0)]
    np.testing.assert_allclose(carried(target, points, label), points, atol=0.1)


def test_a_carried_head_needs_no_joints_of_it() -> None:
    headless = STANDING.copy()
    headless[list(HEAD_JOINTS)] = np.nan
    points = [(64.0, 45.0), (60.0, 70.0)]
    np.testing.assert_allclose(carried(headless, points, Label.UPPER), points, atol=0.1)


def test_bodies_that_turn_away_show_other_outlines() -> None:
    turned = STANDING.copy()
    middle = STANDING[:, 0].mean()
    turned[:, 0] = middle + 0.6 * (STANDING[:, 0] - middle)
    assert match_bodies(STANDING, STANDING, None).is_frontal
    assert not match_bodies(STANDING, turned, None).is_frontal


def test_cloth_of_one_leg_is_none_of_the_other() -> None:
    body = match_bodies(STANDING, STANDING, None)
    right, left = ((STANDING[knee] + STANDING[ankle]) / 2 for knee, ankle in ((9, 10), (12, 13)))
    points = torch.from_numpy(np.stack([right, left, right])).float()
    places = torch.from_numpy(np.stack([right, right, left])).float()
    assert find_crossing(body, points, places).tolist() == [False, True, True]


def test_what_hides_knees_hangs_from_hips_to_ankles() -> None:
    bent = STANDING.copy()
    bent[[Joint.R_KNEE, Joint.L_KNEE], 0] += (-9, 9)  # the ankles stay where they are
    points = torch.tensor([[55.0, 88.0], [64.0, 100.0], [74.0, 80.0]])
    labels = torch.full((3,), int(Label.SKIRT))
    moved = [
        (find_sources(match_bodies(STANDING, bent, None, hides_knees=hides), points, labels) - points).norm(dim=1)
        for hides in (False, True)
    ]
    assert moved[0].max() > 3
    assert moved[1].max() < 0.1


@pytest.mark.parametrize("looks", [-1, 1])
def test_a_turned_trunk_hides_the_sleeve_of_the_arm_beyond_it(looks: int) -> None:
    turned, middle = STANDING.copy(), STANDING[[Joint.R_SHOULDER, Joint.L_SHOULDER], 0].mean()
    turned[:, 0] = middle + 0.6 * (turned[:, 0] - middle)
    turned[Joint.NOSE, 0] = middle + 6 * looks
    arms = {1: ARMS[1], -1: ARMS[0]}
    for side, arm in arms.items():
        turned[[*arm[1:]], 0] = middle + 2 * side  # both before the trunk, as far as joints tell
    for side, arm in arms.items():
        points = torch.from_numpy(turned[[arm[1]]]).float()
        body = match_bodies(STANDING, turned, None)
        found = find_sources(body, points, torch.tensor([int(Label.UPPER)]))
        as_trunk = body.parts["trunk"].carry(points)
        assert (float((found - as_trunk).norm()) < 1) == (side == looks)


@pytest.mark.parametrize("angle", [30.0, 90.0, 180.0])
def test_trunks_from_the_side_are_as_wide_lying_as_standing(angle: float) -> None:
    side = STANDING.copy()
    ends = [Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.R_HIP, Joint.L_HIP]
    side[ends, 0] = STANDING[ends, 0].mean()
    turn = np.deg2rad(angle)
    turned = (side - 64) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + 64
    standing, lying = (
        match_bodies(STANDING, pose.astype(np.float32), None).parts["trunk"].corners for pose in (side, turned)
    )
    assert standing is not None
    assert lying is not None
    for pair in ((0, 1), (2, 3)):
        widths = [float((corners[pair[1]] - corners[pair[0]]).norm()) for corners in (standing, lying)]
        assert widths[0] > 2
        assert widths[0] == pytest.approx(widths[1], rel=1e-3)


@pytest.mark.parametrize("facing", [-1, 1])
@pytest.mark.parametrize("lean", [-6.0, 0.0, 8.0])
def test_a_foot_from_the_side_points_where_the_body_looks(facing: int, lean: float) -> None:
    target = STANDING.copy()
    target[:, 0] = 64 + 0.1 * (target[:, 0] - 64)
    target[Joint.NOSE, 0] = 64 + 8 * facing
    target[Joint.L_ANKLE, 0] += lean
    body = match_bodies(STANDING, target, None)
    assert body.facing == facing
    shin, toes = body.parts["l_shin"], torch.tensor([2.0, 9.0])
    turned = turn_foot(shin, toes, facing)
    ankle = torch.from_numpy(target[Joint.L_ANKLE])
    np.testing.assert_allclose(turned.carry(ankle[None])[0], STANDING[Joint.L_ANKLE], atol=1e-3)
    angles = torch.linspace(0, 2 * np.pi, 721)
    around = ankle + float(toes.norm()) * torch.stack([angles.cos(), angles.sin()], 1)
    goal = torch.from_numpy(STANDING[Joint.L_ANKLE]) + toes
    found = around[(turned.carry(around) - goal).norm(dim=1).argmin()] - ankle
    assert float(found[0]) * facing > 0.9 * float(toes.norm())
    assert 0 < float(found[1]) < 0.3 * float(toes.norm())


def test_a_body_looks_to_neither_side_from_the_front_or_without_a_nose() -> None:
    assert match_bodies(STANDING, STANDING, None).facing == 0
    target = STANDING.copy()
    target[:, 0] = 64 + 0.1 * (target[:, 0] - 64)
    target[Joint.NOSE] = np.nan
    assert match_bodies(STANDING, target, None).facing == 0
