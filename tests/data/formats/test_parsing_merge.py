from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.data.formats.parsing_merge import find_carried, merge_labels
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.errors import InputError
from tests.data.examples import SIZE, STANDING
from tests.data.trees import in_scheme, shots

ADGAN, LIP, CCP = load_scheme("adgan8"), load_scheme("lip20"), load_scheme("ccp59")
ARM, LEG, DRESS = np.full(SIZE, 6), np.full(SIZE, 7), np.full(SIZE, 6)


def test_dress_is_split_at_the_hips() -> None:
    merged = merge_labels(DRESS, LIP, STANDING)
    np.testing.assert_array_equal(merged[:64], Label.UPPER)
    np.testing.assert_array_equal(merged[64:], Label.SKIRT)


def test_dress_of_a_bent_body_is_split_across_the_trunk() -> None:
    lying = np.stack([STANDING[:, 1], 127 - STANDING[:, 0]], axis=1)  # head to the left
    merged = merge_labels(DRESS, LIP, lying)
    np.testing.assert_array_equal(merged[:, :64], Label.UPPER)
    np.testing.assert_array_equal(merged[:, 64:], Label.SKIRT)


def test_dress_of_a_pose_without_shoulders() -> None:
    pose = STANDING.copy()
    pose[[Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.NECK, Joint.R_HIP]] = np.nan
    merged = merge_labels(DRESS, LIP, pose)
    assert (merged[63, 0], merged[64, 0]) == (Label.UPPER, Label.SKIRT)
    with pytest.raises(InputError, match="a dress, which is split at the hips, and a pose without them"):
        merge_labels(DRESS, LIP, STANDING * np.nan)
    with pytest.raises(InputError, match="a dress"):
        merge_labels(DRESS, LIP)


def test_limbs_go_to_the_nearer_side() -> None:
    """The person faces the camera: the left is on the right."""
    arms, legs = merge_labels(ARM, ADGAN, STANDING), merge_labels(LEG, ADGAN, STANDING)
    assert (arms[50, 30], arms[50, 100]) == (Label.R_ARM, Label.L_ARM)
    assert (legs[100, 56], legs[100, 73]) == (Label.R_LEG, Label.L_LEG)
    assert set(np.unique(arms)) == {Label.R_ARM, Label.L_ARM}
    behind = STANDING.copy()
    behind[Joint.L_WRIST] = (40, 50)  # the left hand reaches over to the right elbow
    assert merge_labels(ARM, ADGAN, behind)[50, 40] == Label.L_ARM


def test_limbs_of_which_one_is_known() -> None:
    pose = STANDING.copy()
    pose[[Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST, Joint.L_ELBOW, Joint.L_WRIST]] = np.nan
    assert (merge_labels(ARM, ADGAN, pose) == Label.L_ARM).all()
    pose[Joint.L_SHOULDER] = np.nan
    with pytest.raises(InputError, match="arms without a side, and a pose without arms to tell it"):
        merge_labels(ARM, ADGAN, pose)
    with pytest.raises(InputError, match="legs without a side"):
        merge_labels(LEG, ADGAN)


def test_socks_and_gloves_go_to_their_limb() -> None:
    ids = np.zeros(SIZE, int)
    ids[105:115, 50:60], ids[105:115, 70:80], ids[60:66, 78:84] = 8, 8, 3
    merged = merge_labels(ids, LIP, STANDING)
    assert (merged[110, 55], merged[110, 73], merged[62, 80]) == (Label.R_LEG, Label.L_LEG, Label.L_ARM)


def test_what_needs_no_pose_goes_without() -> None:
    ids = np.array([[0, 1, 5, 9], [12, 13, 14, 19]])
    np.testing.assert_array_equal(merge_labels(ids, LIP), [[0, 2, 3, 4], [5, 1, 6, 9]])


@pytest.mark.parametrize("name", ["spt10", "lip20", "cihp20", "atr18", "adgan8"])
def test_people_come_back_from_each_scheme(name: str) -> None:
    scheme = load_scheme(name)
    for shot in shots():
        parsing, pose = shot.example.parsing, shot.example.pose
        merged = merge_labels(in_scheme(parsing, name), scheme, pose)
        if name != "adgan8":
            np.testing.assert_array_equal(merged, parsing)
            continue
        limbs = parsing >= Label.L_ARM
        np.testing.assert_array_equal(merged[~limbs], parsing[~limbs])
        assert (merged == parsing)[limbs].mean() > 0.85


def test_skin_is_of_the_nearest_bone() -> None:
    merged = merge_labels(np.full(SIZE, 41), CCP, STANDING)
    assert merged[20, 64] == Label.FACE
    assert (merged[55, 46], merged[55, 82]) == (Label.R_ARM, Label.L_ARM)
    assert (merged[90, 56], merged[90, 72]) == (Label.R_LEG, Label.L_LEG)
    assert merged[70, 47] == Label.R_ARM  # a hand, beyond the wrist


def test_skin_of_a_pose_without_a_head_or_an_arm() -> None:
    pose = STANDING.copy()
    pose[[0, 14, 15, 16, 17]] = np.nan
    assert merge_labels(np.full(SIZE, 41), CCP, pose)[20, 64] == Label.FACE
    pose[[Joint.L_ELBOW, Joint.L_WRIST]] = np.nan
    assert Label.L_ARM not in merge_labels(np.full(SIZE, 41), CCP, pose)
    with pytest.raises(InputError, match="skin, which is shared out"):
        merge_labels(np.full(SIZE, 41), CCP, STANDING * np.nan)
    with pytest.raises(InputError, match="skin, which is shared out"):
        merge_labels(np.full(SIZE, 41), CCP)


def test_what_is_carried_is_background_and_a_mask() -> None:
    ids = np.full(SIZE, 38)
    ids[40:50, 40:50] = 33
    assert (merge_labels(ids, CCP)[45, 45], merge_labels(ids, CCP)[60, 60]) == (Label.BACKGROUND, Label.UPPER)
    carried = find_carried(ids, CCP)
    assert carried is not None
    np.testing.assert_array_equal(carried, ids == 33)
    assert find_carried(ids, LIP) is None
