from __future__ import annotations

import numpy as np
import pytest

from pgen.body.limb_fields import complete_legs, find_hand, find_spine, measure_limb
from tests.body.poses import STANDING


def test_along_a_bent_limb() -> None:
    field = measure_limb(np.array([(10, 10), (10, 30), (30, 30)]), (64, 64), 10.0)
    assert field.along[10, 10] == 0
    assert field.along[20, 12] == 0.5
    assert field.distance[20, 12] == np.float32(0.2)
    assert field.along[31, 25] == 1.75
    assert field.along[5, 10] == -0.25, "before the first joint"
    assert field.along[30, 40] == 2.5, "beyond the last"
    assert field.distance[30, 40] == 1


def test_missing_legs_go_straight_on() -> None:
    pose = STANDING.copy()
    chains, assumed = complete_legs(pose)
    assert assumed == ()
    np.testing.assert_array_equal(chains[1], pose[[11, 12, 13]])
    pose[[9, 13]] = np.nan
    chains, assumed = complete_legs(pose)
    assert assumed == ("r_knee", "l_ankle")
    np.testing.assert_allclose(chains[0][1], pose[8] + pose[12] - pose[11])
    np.testing.assert_allclose(chains[1][2], 2 * pose[12] - pose[11])


def test_spine() -> None:
    np.testing.assert_allclose(find_spine(STANDING), (0, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        ((60, 72), (46, 54), 60),  # below a long cuff
        ((50, 62), (46, 54), 50),  # at the wrist
        ((30, 62), (46, 54), 50),  # of a bare arm
        ((60, 72), (70, 78), 50),  # far from the line of the arm
        ((95, 99), (46, 54), 66),  # farther than any cuff
        ((0, 0), (0, 0), 50),
    ],
)
def test_hands_begin_at_wrists_or_below_cuffs(rows: tuple, columns: tuple, expected: float) -> None:
    arm, skin = np.array([[50.0, 10], [50, 30], [50, 50]]), np.zeros((100, 100), bool)
    skin[slice(*rows), slice(*columns)] = True
    np.testing.assert_allclose(find_hand(arm, skin, 40.0), (50, expected), atol=1)


@pytest.mark.filterwarnings("error")
def test_hands_of_which_nothing_is_beyond_the_wrist_begin_there() -> None:
    arm, skin = np.array([[50.0, 10], [50, 30], [50, 50]]), np.zeros((100, 100), bool)
    skin[5:10, 20:80] = True  # far from the wrist
    np.testing.assert_array_equal(find_hand(arm, skin, 40.0), (50, 50))
