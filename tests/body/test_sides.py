from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.body.sides import ARM, LEG, SIDES, assign_nearest_sides, find_nearest_sides

# From behind: the person's left is on the left.
POSE = np.full((18, 2), np.nan)
for joint, place in {
    Joint.L_SHOULDER: (20, 20),
    Joint.L_ELBOW: (10, 40),
    Joint.L_WRIST: (10, 60),
    Joint.R_SHOULDER: (40, 20),
    Joint.R_ELBOW: (50, 40),
    Joint.R_WRIST: (50, 60),
}.items():
    POSE[joint] = place


def test_arms_that_were_mixed_are_put_right() -> None:
    parsing = np.zeros((80, 64), np.uint8)
    parsing[30:60, 8:13], parsing[30:60, 48:53] = Label.R_ARM, Label.R_ARM
    parsing[60:64, 48:53] = Label.L_ARM
    parsing[10:15, 28:33] = Label.FACE
    fixed = assign_nearest_sides(parsing, POSE)
    assert (fixed[30:60, 8:13] == Label.L_ARM).all()
    assert (fixed[30:64, 48:53] == Label.R_ARM).all()
    assert (fixed[10:15, 28:33] == Label.FACE).all()
    assert (parsing[30:60, 8:13] == Label.R_ARM).all()  # as it was


def test_where_both_are_near_the_map_is_believed() -> None:
    parsing = np.zeros((80, 64), np.uint8)
    parsing[20, 28:33] = Label.L_ARM, Label.R_ARM, Label.L_ARM, Label.R_ARM, Label.L_ARM
    np.testing.assert_array_equal(assign_nearest_sides(parsing, POSE, clearly=5), parsing)
    parsing[40, 10] = Label.R_ARM
    assert assign_nearest_sides(parsing, POSE, clearly=5)[40, 10] == Label.L_ARM


def test_a_single_joint_is_a_limb_and_no_joint_is_none() -> None:
    pose = POSE.copy()
    pose[[Joint.R_ELBOW, Joint.R_WRIST]] = np.nan
    labels, margin = find_nearest_sides(np.array([(41, 20), (12, 50)]), pose, ARM) or (None, None)
    assert labels is not None
    assert labels.tolist() == [Label.R_ARM, Label.L_ARM]
    assert margin is not None
    np.testing.assert_allclose(margin, [20, np.hypot(28, 30) - 2])
    pose[Joint.R_SHOULDER] = np.nan
    only = find_nearest_sides(np.array([(50, 60)]), pose, ARM)
    assert only is not None
    assert (only[0][0], only[1][0]) == (Label.L_ARM, np.inf)
    assert find_nearest_sides(np.array([(50, 60)]), pose, LEG) is None


@given(arrays(np.uint8, (12, 12), elements=st.integers(0, 9)), arrays(float, (18, 2), elements=st.floats(-5, 20)))
def test_only_sides_change(parsing: np.ndarray, pose: np.ndarray) -> None:
    fixed = assign_nearest_sides(parsing, pose)
    for sides in SIDES.values():
        labels = [label for label, _ in sides]
        np.testing.assert_array_equal(np.isin(fixed, labels), np.isin(parsing, labels))
        np.testing.assert_array_equal(fixed[~np.isin(fixed, (6, 7, 8, 9))], parsing[~np.isin(fixed, (6, 7, 8, 9))])
    np.testing.assert_array_equal(assign_nearest_sides(fixed, pose), fixed)
