from __future__ import annotations

import numpy as np
import pytest

from pgen.body.hidden_legs import add_standing_legs, place_hidden_legs
from pgen.body.joints import LEGS, Joint
from pgen.body.labels import Label
from pgen.body.limb_fields import torso_length
from tests.data.examples import STANDING

HIDDEN = [Joint.R_KNEE, Joint.R_ANKLE, Joint.L_KNEE, Joint.L_ANKLE]


def lose(*joints: Joint) -> np.ndarray:
    pose = STANDING.copy()
    pose[list(joints)] = np.nan
    return pose


def wear(label: Label, ends: int = 120) -> np.ndarray:
    """A map (128, 128) of somebody in a long skirt or wide trousers, from the shoulders to the row where it ends."""
    labels = np.zeros((128, 128), np.uint8)
    labels[25:60, 50:78] = Label.UPPER
    labels[60:ends, 46:82] = label
    return labels


@pytest.mark.parametrize("label", [Label.SKIRT, Label.PANTS])
def test_legs_stand_in_the_cloth_that_hides_them(label: Label) -> None:
    pose = lose(*HIDDEN)
    found = place_hidden_legs(pose, wear(label))
    assert np.isfinite(found[HIDDEN]).all()
    unchanged = [joint for joint in Joint if joint not in HIDDEN]
    np.testing.assert_array_equal(found[unchanged], pose[unchanged])
    for (hip, knee, ankle), (other, *_) in zip(LEGS, LEGS[::-1], strict=True):
        assert found[hip, 1] < found[knee, 1] < found[ankle, 1] < 120
        assert found[knee, 1] - found[hip, 1] == pytest.approx(found[ankle, 1] - found[knee, 1])
        assert ((found[[knee, ankle], 0] > 64) == (pose[hip, 0] > pose[other, 0])).all()
        assert ((found[[knee, ankle], 0] > 46) & (found[[knee, ankle], 0] < 82)).all()
    assert np.isnan(pose[HIDDEN]).all()


def test_a_hidden_leg_is_as_long_as_the_other() -> None:
    found = place_hidden_legs(lose(Joint.L_KNEE, Joint.L_ANKLE), wear(Label.SKIRT))
    right, left = (np.diff(found[list(leg), 1]) for leg in LEGS)
    np.testing.assert_allclose(left, right, atol=1e-4)


def test_legs_go_on_beyond_the_photo() -> None:
    found = place_hidden_legs(lose(*HIDDEN), wear(Label.SKIRT, 128)[:90])
    assert found[Joint.L_ANKLE, 1] - found[Joint.L_HIP, 1] == pytest.approx(1.7 * torso_length(STANDING), rel=1e-3)


@pytest.mark.parametrize("case", ["nothing is missing", "no cloth", "no hip", "from the side", "nobody"])
def test_all_else_stays(case: str) -> None:
    pose, labels = lose(*HIDDEN), wear(Label.SKIRT)
    if case == "nothing is missing":
        pose = STANDING.copy()
    elif case == "no cloth":
        labels = wear(Label.SKIRT, 65)
        labels[118:120, 60:64] = Label.L_LEG
    elif case == "no hip":
        pose[Joint.R_HIP] = np.nan
    elif case == "from the side":
        pose = lose(Joint.L_KNEE, Joint.L_ANKLE)
        middle = pose[[Joint.L_SHOULDER, Joint.R_SHOULDER], 0].mean()
        pose[[Joint.L_SHOULDER, Joint.R_SHOULDER], 0] = middle
    else:
        labels[:] = 0
    np.testing.assert_array_equal(place_hidden_legs(pose, labels), pose)


def test_beside_a_raised_leg_a_hidden_one_still_stands() -> None:
    pose = lose(Joint.L_KNEE, Joint.L_ANKLE)
    pose[Joint.R_KNEE, 1] = pose[Joint.R_HIP, 1] - 10
    found = place_hidden_legs(pose, wear(Label.SKIRT))
    assert found[Joint.L_HIP, 1] < found[Joint.L_KNEE, 1] < found[Joint.L_ANKLE, 1]


def test_a_pose_of_which_nothing_is_hidden_is_not_copied() -> None:
    pose = STANDING.copy()
    assert place_hidden_legs(pose, wear(Label.SKIRT)) is pose


def test_legs_that_are_not_shown_stand_straight() -> None:
    cut = STANDING.copy()
    cut[[Joint.R_KNEE, Joint.R_ANKLE, Joint.L_ANKLE]] = np.nan
    found = add_standing_legs(cut, STANDING)
    lengths = [np.linalg.norm(STANDING[end] - STANDING[start]) for start, end in ((8, 9), (9, 10), (12, 13))]
    np.testing.assert_allclose(found[Joint.R_KNEE], STANDING[Joint.R_HIP] + (0, lengths[0]), atol=1e-4)
    np.testing.assert_allclose(found[Joint.R_ANKLE], found[Joint.R_KNEE] + (0, lengths[1]), atol=1e-4)
    np.testing.assert_allclose(found[Joint.L_ANKLE], STANDING[Joint.L_KNEE] + (0, lengths[2]), atol=1e-4)
    assert add_standing_legs(STANDING, STANDING) is STANDING
    assert add_standing_legs(cut, cut) is cut


def test_a_knee_is_on_the_way_to_its_ankle() -> None:
    raised = STANDING.copy()
    raised[Joint.R_KNEE] = np.nan
    raised[Joint.R_ANKLE] = (20, 60)
    knee = add_standing_legs(raised, STANDING)[Joint.R_KNEE]
    whole, first = raised[Joint.R_ANKLE] - raised[Joint.R_HIP], knee - raised[Joint.R_HIP]
    assert whole[0] * first[1] == pytest.approx(whole[1] * first[0], abs=1e-2)
    assert 0.4 < np.linalg.norm(first) / np.linalg.norm(whole) < 0.6
