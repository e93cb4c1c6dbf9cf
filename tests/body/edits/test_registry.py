from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pgen.body.edits.registry import EDITS, check_edits, edit_parsing
from pgen.body.joints import FLIP_JOINTS, Joint
from pgen.body.labels import FLIP_LABELS, Label
from pgen.errors import InputError
from tests.body.layouts import dressed, outfits
from tests.body.poses import STANDING

ARMS, LEGS = {Label.L_ARM, Label.R_ARM}, {Label.L_LEG, Label.R_LEG}
NOTHING = {Label.BACKGROUND}
BELOW = {Label.PANTS, Label.SKIRT} | LEGS
#: Labels that an edit may replace, and those that it may put there.
REPLACES = {
    "sleeves": {Label.UPPER} | ARMS,
    "lower": BELOW | NOTHING,
    "length": BELOW | NOTHING,
    "neckline": {Label.UPPER, Label.FACE},
    "hair": NOTHING | {Label.HAIR, Label.FACE, Label.UPPER} | ARMS,
}
GIVES = {
    "sleeves": REPLACES["sleeves"] | NOTHING,
    "lower": BELOW | NOTHING,
    "length": BELOW | NOTHING,
    "neckline": REPLACES["neckline"],
    "hair": set(Label),
}
ALL = [{name: value} for name, edit in EDITS.items() for value in edit.choices]
edits = st.sampled_from([*ALL, {"sleeves": 0.6}, {"length": 0.4}])


def edited(parsing: np.ndarray, pose: np.ndarray, wanted: dict) -> np.ndarray | None:  # type: ignore[type-arg]
    """The new map; None where the edit is refused."""
    try:
        return edit_parsing(parsing, pose, wanted)[0]
    except InputError:
        return None


@settings(max_examples=60)
@given(outfits(), edits)
def test_twice_is_once(outfit: tuple[np.ndarray, np.ndarray], wanted: dict) -> None:  # type: ignore[type-arg]
    pose, parsing = outfit
    once = edited(parsing, pose, wanted)
    if once is not None:
        np.testing.assert_array_equal(edited(once, pose, wanted), once)


@settings(max_examples=60)
@given(outfits(), edits)
def test_changes_only_what_it_should(outfit: tuple[np.ndarray, np.ndarray], wanted: dict) -> None:  # type: ignore[type-arg]
    pose, parsing = outfit
    before, name = parsing.copy(), next(iter(wanted))
    result = edited(parsing, pose, wanted)
    np.testing.assert_array_equal(parsing, before)
    if result is not None:
        changed = result != parsing
        assert set(np.unique(parsing[changed])) <= REPLACES[name]
        assert set(np.unique(result[changed])) <= GIVES[name]


@settings(max_examples=60)
@given(outfits(), edits)
def test_left_and_right_alike(outfit: tuple[np.ndarray, np.ndarray], wanted: dict) -> None:  # type: ignore[type-arg]
    pose, parsing = outfit
    mirrored_pose = pose[list(FLIP_JOINTS)].copy()
    mirrored_pose[:, 0] = parsing.shape[1] - 1 - mirrored_pose[:, 0]
    labels = np.asarray(FLIP_LABELS, np.uint8)
    first = edited(parsing, pose, wanted)
    second = edited(labels[parsing[:, ::-1]], mirrored_pose, wanted)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        # Pixels that are equally far from both sides go to either.
        assert (labels[first[:, ::-1]] != second).mean() < 0.004


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=15)
def test_longer_sleeves_cover_more(one: float, other: float) -> None:
    parsing = dressed(STANDING, 0.8, Label.PANTS, 2)
    bare = [np.isin(edit_parsing(parsing, STANDING, {"sleeves": share})[0], [*ARMS]) for share in sorted((one, other))]
    assert not (bare[1] & ~bare[0]).any()


def test_sleeves_reach_the_wrists_and_no_farther() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    result = edit_parsing(parsing, STANDING, {"sleeves": "long"})[0]
    for wrist, elbow, label in ((4, 3, Label.R_ARM), (7, 6, Label.L_ARM)):
        x, y = np.rint(STANDING[elbow]).astype(int)
        assert parsing[y + 4, x] == label
        assert result[y + 4, x] == Label.UPPER
        x, y = np.rint(STANDING[wrist]).astype(int)
        assert result[y + 2, x] == label, "hands stay bare"


def test_trousers_become_a_skirt_and_legs() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    result = edit_parsing(parsing, STANDING, {"lower": "skirt", "length": "knee"})[0]
    assert not (result == Label.PANTS).any()
    assert result[80, 64] == Label.SKIRT, "between the thighs"
    assert {*np.unique(result[98:108])} == {Label.BACKGROUND, *LEGS}


def test_a_skirt_becomes_shorts() -> None:
    parsing = edit_parsing(dressed(STANDING, 0.5, Label.PANTS, 2), STANDING, {"lower": "skirt"})[0]
    result = edit_parsing(parsing, STANDING, {"lower": "shorts"})[0]
    assert not (result == Label.SKIRT).any()
    assert result[84, 64] == Label.BACKGROUND, "the legs part"
    assert (result[70:78] == Label.PANTS).any()
    assert not (result[90:] == Label.PANTS).any()


def test_half_a_body_is_told_what_was_assumed() -> None:
    pose = STANDING.copy()
    pose[[9, 10, 12, 13]] = np.nan
    parsing, warnings = edit_parsing(dressed(pose, 0.5, Label.PANTS, 2), pose, {"lower": "skirt"})
    assert (parsing == Label.SKIRT).any()
    assert warnings == ["r_knee, r_ankle, l_knee, l_ankle missing: the legs are assumed to continue straight on"]


def test_one_arm_without_elbow_stays() -> None:
    pose = STANDING.copy()
    parsing = dressed(pose, 0.5, Label.PANTS, 2)
    pose[[3, 4]] = np.nan
    result = edit_parsing(parsing, pose, {"sleeves": "long"})[0]
    np.testing.assert_array_equal(result == Label.R_ARM, parsing == Label.R_ARM)
    assert (result == Label.L_ARM).sum() < (parsing == Label.L_ARM).sum()


def test_long_hair_is_cut_and_grows() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    long = edit_parsing(parsing, STANDING, {"hair": "long"})[0]
    assert (long[36:40] == Label.HAIR).any(), "below the shoulders"
    assert (long[16:24, 64] == Label.FACE).all(), "not over the face"
    short = edit_parsing(long, STANDING, {"hair": "short"})[0]
    assert not (short[28:] == Label.HAIR).any()


def test_necklines() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    bare = {
        name: (edit_parsing(parsing, STANDING, {"neckline": name})[0] == Label.FACE).sum()
        for name in ("high", "round", "v")
    }
    assert bare["high"] < bare["round"] < bare["v"]


def test_a_high_neckline_takes_no_cloth_away() -> None:
    """A turtleneck is higher still, and a shoulder in front of the neck is not the neck."""
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    parsing[parsing == Label.FACE] = Label.UPPER
    np.testing.assert_array_equal(edit_parsing(parsing, STANDING, {"neckline": "high"})[0], parsing)


def test_a_turtleneck_comes_off_whole() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    neck = int(STANDING[1, 1]), int(STANDING[1, 0])
    collared = parsing.copy()
    collared[neck[0] - 7 : neck[0] + 1, neck[1] - 4 : neck[1] + 5] = Label.UPPER
    result = edit_parsing(collared, STANDING, {"neckline": "v"})[0]
    assert not (result[: neck[0], neck[1] - 4 : neck[1] + 5] == Label.UPPER).any()


def turned(nose: float) -> np.ndarray:
    """Who stands with one shoulder and hip almost behind the other, and looks to where the nose is."""
    pose = STANDING.copy()
    pose[:, 0] = 64 + 0.1 * (pose[:, 0] - 64) * np.sign(STANDING[5, 0] - STANDING[2, 0])
    pose[0, 0] = 64 + nose
    return pose


@pytest.mark.parametrize("nose", [-9.0, 9.0])
def test_necklines_turn_with_the_trunk(nose: float) -> None:
    parsing = np.zeros((128, 128), np.uint8)
    parsing[28:70, 52:77] = Label.UPPER
    bare = edit_parsing(parsing, turned(nose), {"neckline": "v"})[0] == Label.FACE
    _, x = np.nonzero(bare)
    assert len(x) > 5
    assert ((x - 64) * np.sign(nose) > 0).all(), "none over the shoulder"


def test_a_leg_goes_on_as_it_comes_out_from_under_the_hem() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 0.9)
    result = edit_parsing(parsing, STANDING, {"length": "mini"})[0]
    hem = np.flatnonzero((parsing == Label.R_LEG).any(axis=1))[0]
    below, above = ((labels[row] == Label.R_LEG).sum() for labels, row in ((parsing, hem + 2), (result, hem - 2)))
    assert abs(int(below) - int(above)) <= 1


def test_a_longer_skirt_is_no_narrower() -> None:
    short = edit_parsing(dressed(STANDING, 0.5, Label.PANTS, 2), STANDING, {"lower": "skirt", "length": "mini"})[0]
    rows = np.flatnonzero((short == Label.SKIRT).any(axis=1))
    columns = np.flatnonzero(short[rows[-2]] == Label.SKIRT)
    short[rows[-6] : rows[-1] + 1, columns[0] - 3 : columns[-1] + 4] = Label.SKIRT
    result = edit_parsing(short, STANDING, {"length": "knee"})[0]
    widths = (result == Label.SKIRT).sum(axis=1)
    below = widths[rows[-1] : np.flatnonzero(widths)[-1]]
    assert len(below) > 5
    assert below.min() >= widths[rows[-1]] - 2


def test_shoes_stay_below_trousers() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 0.7)
    x, y = np.rint(STANDING[10]).astype(int)
    shoe = np.s_[y - 3 : y + 4, x + 7 : x + 12]  # a heel that is lifted
    parsing[shoe] = Label.R_LEG
    result = edit_parsing(parsing, STANDING, {"lower": "pants"})[0]
    assert (result[shoe] == Label.R_LEG).all()
    assert result[y - 6, x] == Label.PANTS


def without(*joints: int) -> np.ndarray:
    pose = STANDING.copy()
    pose[list(joints)] = np.nan
    return pose


@pytest.mark.parametrize(
    ("pose", "wanted", "message"),
    [
        (STANDING, {"shoes": "red"}, "edit 'shoes' is unknown; choose one of sleeves, lower"),
        (STANDING, {"lower": "kilt"}, "lower=kilt is unknown; choose one of pants, shorts, skirt"),
        (STANDING, {"sleeves": "1.5"}, "sleeves=1.5 is unknown; choose one of none, short, elbow, long, or a share"),
        (STANDING, {"sleeves": "nan"}, "sleeves=nan is unknown"),
        (without(3, 6), {"sleeves": "long"}, "no elbow is known"),
        (without(0, 14, 15, 16, 17), {"hair": "long"}, "no joint of the head is known"),
        (STANDING[list(FLIP_JOINTS)], {"neckline": "v"}, "seen from behind"),
        (
            turned(9.0) * np.where(np.isin(np.arange(18), (0, 14, 15, 16, 17)), np.nan, 1)[:, None],
            {"neckline": "v"},
            "to which side the person looks",
        ),
        (without(8), {"lower": "skirt"}, "shoulders or hips are not known"),
    ],
)
def test_refused(pose: np.ndarray, wanted: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=message):
        edit_parsing(dressed(STANDING, 0.5, Label.PANTS, 2), pose, wanted)


def test_nothing_below_the_waist() -> None:
    parsing = np.full((64, 64), Label.UPPER, np.uint8)
    with pytest.raises(InputError, match="neither pants, skirt nor legs"):
        edit_parsing(parsing, STANDING, {"lower": "skirt"})
    with pytest.raises(InputError, match="name lower= as well"):
        edit_parsing(parsing, STANDING, {"length": "knee"})


def test_shares_become_numbers() -> None:
    assert check_edits({"sleeves": "0.25", "hair": "long"}) == {"sleeves": 0.25, "hair": "long"}


def test_a_wide_top_without_sleeves_stays() -> None:
    parsing = dressed(STANDING, 0.0, Label.PANTS, 2)
    wide = parsing.copy()
    wide[40:60, 40:88][np.isin(parsing[40:60, 40:88], (Label.BACKGROUND,))] = Label.UPPER
    result = edit_parsing(wide, STANDING, {"sleeves": "none"})[0]
    flank = (wide == Label.UPPER) & (parsing == Label.BACKGROUND)
    assert (result[flank] == Label.UPPER).mean() > 0.8
    wide_sleeve = dressed(STANDING, 1.9, Label.PANTS, 2)
    bare = edit_parsing(wide_sleeve, STANDING, {"sleeves": "none"})[0]
    assert (
        np.isin(bare[(wide_sleeve == Label.UPPER) & (parsing != Label.UPPER)], [*ARMS, Label.BACKGROUND]).mean() > 0.8
    )


def test_wide_cuffs_go_with_their_sleeves() -> None:
    parsing = dressed(STANDING, 1.2, Label.PANTS, 2)
    elbow, wrist = STANDING[3], STANDING[4]
    x, y = np.rint(elbow + 0.2 * (wrist - elbow)).astype(int)
    cuff = np.zeros_like(parsing, bool)
    cuff[y : y + 3, x - 7 : x - 3] = True
    parsing[cuff] = Label.UPPER
    result = edit_parsing(parsing, STANDING, {"sleeves": "short"})[0]
    assert np.isin(result[cuff], (Label.R_ARM, Label.BACKGROUND)).all()


def test_strands_are_round_at_their_ends() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    grown = (edit_parsing(parsing, STANDING, {"hair": "long"})[0] == Label.HAIR) & (parsing != Label.HAIR)
    widths = grown.sum(axis=1)
    rows = np.flatnonzero(widths)
    assert widths[rows[-1]] < 0.7 * widths.max()


def test_cuffs_that_hang_over_the_wrist_go_with_their_sleeves() -> None:
    parsing = dressed(STANDING, 2.0, Label.PANTS, 2)
    (x, y), down = STANDING[4].round().astype(int), 6
    cuff = slice(y, y + down), slice(x - 2, x + 3)
    parsing[y + down : y + 2 * down, x - 2 : x + 3] = Label.R_ARM
    parsing[cuff] = Label.UPPER
    assert (edit_parsing(parsing, STANDING, {"sleeves": "short"})[0][cuff] != Label.UPPER).all()


def test_a_coat_beside_the_wrists_stays() -> None:
    pose = STANDING.copy()
    pose[[3, 4, 6, 7], 1] += (7, 16, 7, 16)
    parsing = dressed(pose, 2.0, Label.PANTS, 2)
    (left, right), hip, wrist = pose[[8, 11], 0].round().astype(int), *pose[[8, 4], 1].round().astype(int)
    coat = slice(hip, wrist + 12), slice(left - 4, right + 5)
    parsing[coat] = Label.UPPER
    result = edit_parsing(parsing, pose, {"sleeves": "short"})[0]
    assert (result[coat] == Label.UPPER).mean() > 0.95


def test_long_hair_frames_a_face_in_one_piece() -> None:
    bald = dressed(STANDING, 0.5, Label.PANTS, 2)
    bald[bald == Label.HAIR] = Label.BACKGROUND
    hair = edit_parsing(bald, STANDING, {"hair": "long"})[0] == Label.HAIR
    pieces, count = ndimage.label(hair)
    sizes = np.bincount(pieces.ravel())[1:]
    assert count == 1 or sizes.max() > 0.95 * sizes.sum(), "from the crown over both ears"
    assert not hair[tuple(np.rint(STANDING[Joint.NOSE, ::-1]).astype(int))]
    shoulders = round(float(STANDING[Joint.L_SHOULDER, 1]))
    strands, _ = ndimage.label(hair[shoulders])
    assert strands.max() == 2, "one on each side"


def test_legs_reach_the_ground_where_wide_trousers_hid_the_feet() -> None:
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    for ankle in (Joint.R_ANKLE, Joint.L_ANKLE):
        x, y = np.rint(STANDING[ankle]).astype(int)
        parsing[y - 8 : y + 6, x - 7 : x + 8] = Label.PANTS
    bare = edit_parsing(parsing, STANDING, {"lower": "shorts"})[0]
    for ankle, label in ((Joint.R_ANKLE, Label.R_LEG), (Joint.L_ANKLE, Label.L_LEG)):
        x, y = np.rint(STANDING[ankle]).astype(int)
        assert (bare[y - 6 : y + 5, x] == label).all()
