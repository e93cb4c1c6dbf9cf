from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgen.body.joints import HEAD_JOINTS, TORSO_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.synthetic.body_pose import ArmPose
from pgen.synthetic.camera import Framing
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.person import Bottom, Hair, Person, Texture, Top
from pgen.synthetic.render import Rendering, Shot, render, sample_shot

PLAIN = Texture("plain", (200.0, 30.0, 40.0), (255.0, 255.0, 255.0))
TANK = Top(0.0, "round", 0.5, 0.15, 0.3, False, PLAIN, strap=0.05)
LONG_SLEEVES = replace(TANK, sleeve=1.95)
TROUSERS = Bottom("trousers", 1.95, 0.2, 0.22, PLAIN)
SKIRT = Bottom("skirt", 0.8, 0.5, 0.22, PLAIN)
SHORT_HAIR = Hair("short", (40.0, 30.0, 25.0), 0.76, 0.4, False, False, 1)


def dressed(top: Top = TANK, bottom: Bottom = TROUSERS) -> Person:
    return replace(synthetic_person(0, 3), top=top, bottom=bottom, hair=SHORT_HAIR)


def standing(yaw: float, view: str = "full") -> Shot:
    shot = synthetic_shot(0, 3, 0)
    arm = ArmPose("hang", 0.8, 0.2, 0.0)
    body_pose = replace(shot.body_pose, yaw=yaw, head_yaw=0.0, twist=0.0, left_arm=arm, right_arm=arm)
    return replace(shot, body_pose=body_pose, framing=Framing(view, 0.04, 0.04, 0.5, 0.0, 4.0, 0.3, True))


def label_at(rendering: Rendering, joint: Joint) -> int:
    x, y = np.rint(rendering.pose[joint]).astype(int)
    return int(rendering.parsing[y, x])


@pytest.fixture(scope="module")
def sample() -> list[Rendering]:
    return [render(synthetic_person(4, number), synthetic_shot(4, number, 0), (256, 256)) for number in range(32)]


def test_shapes_and_ranges(sample: list[Rendering]) -> None:
    for rendering in sample:
        assert rendering.image.shape == (256, 256, 3)
        assert rendering.image.dtype == np.uint8
        assert rendering.parsing.shape == (256, 256)
        assert rendering.parsing.dtype == np.uint8
        assert rendering.parsing.max() <= 9
        assert rendering.pose.shape == (18, 2)
        assert rendering.pose.dtype == np.float32
        found = rendering.pose[known_joints(rendering.pose)]
        assert (found >= 0).all()
        assert (found <= 255).all()
        # The person fills a fair part of the picture.
        assert 0.08 < (rendering.parsing > 0).mean() < 0.75


def test_joints_lie_on_the_figure(sample: list[Rendering]) -> None:
    on_figure = [
        label_at(rendering, Joint(joint)) != Label.BACKGROUND
        for rendering in sample
        for joint in np.flatnonzero(known_joints(rendering.pose))
    ]
    assert len(on_figure) > 400
    assert np.mean(on_figure) >= 0.95


def test_shoulders_and_hips_are_known(sample: list[Rendering]) -> None:
    complete = [known_joints(rendering.pose)[list(TORSO_JOINTS)].all() for rendering in sample]
    assert np.mean(complete) >= 0.95


def test_most_fashion_photos_have_white_borders(sample: list[Rendering]) -> None:
    bordered = 0
    for rendering in sample:
        sides = np.r_[0:40, 216:256]
        if (rendering.image[:, sides] == 255).all():
            bordered += 1
            assert (rendering.parsing[:, sides] == 0).all()
    assert 0.6 < bordered / len(sample) < 0.9


def test_labels_follow_the_clothes(sample: list[Rendering]) -> None:
    for rendering in sample:
        shown = set(np.unique(rendering.parsing).tolist())
        if rendering.attributes["lower"] == "skirt":
            assert Label.PANTS not in shown
        else:
            assert Label.SKIRT not in shown
        assert Label.UPPER in shown


def test_tank_top_bares_the_arms_and_long_sleeves_cover_them() -> None:
    bare, covered = render(dressed(TANK), standing(0.0)), render(dressed(LONG_SLEEVES), standing(0.0))
    for joint, arm in ((Joint.L_ELBOW, Label.L_ARM), (Joint.R_ELBOW, Label.R_ARM)):
        assert label_at(bare, joint) == arm
        assert label_at(covered, joint) == Label.UPPER
    assert (bare.parsing == Label.L_ARM).sum() > 3 * (covered.parsing == Label.L_ARM).sum()
    assert bare.attributes["sleeves"] == "none"
    assert covered.attributes["sleeves"] == "long"


def test_left_is_the_persons_left() -> None:
    front, back = render(dressed(), standing(0.0)), render(dressed(), standing(np.pi))
    assert front.pose[Joint.L_SHOULDER, 0] > front.pose[Joint.R_SHOULDER, 0]
    assert back.pose[Joint.L_SHOULDER, 0] < back.pose[Joint.R_SHOULDER, 0]
    for rendering in (front, back):
        for joint, label in (
            (Joint.L_ELBOW, Label.L_ARM),
            (Joint.R_ELBOW, Label.R_ARM),
            (Joint.L_ANKLE, Label.L_LEG),
            (Joint.R_ANKLE, Label.R_LEG),
        ):
            x = np.nonzero(rendering.parsing == label)[1].mean()
            assert abs(x - rendering.pose[joint, 0]) < 15


def test_skirts_bare_the_knees() -> None:
    short = render(dressed(bottom=replace(SKIRT, length=0.6)), standing(0.0))
    assert label_at(short, Joint.L_KNEE) == Label.L_LEG
    assert (short.parsing == Label.SKIRT).sum() > 300
    midi = render(dressed(bottom=replace(SKIRT, length=1.5)), standing(0.0))
    assert label_at(midi, Joint.L_KNEE) == Label.SKIRT


def test_no_face_from_behind() -> None:
    behind = render(dressed(), standing(np.pi))
    assert not known_joints(behind.pose)[[Joint.NOSE, Joint.L_EYE, Joint.R_EYE]].any()
    front = render(dressed(), standing(0.0))
    assert known_joints(front.pose)[list(HEAD_JOINTS)].all()
    # From the person's left, that is with the left side to the camera, the right eye and ear are hidden.
    side = render(dressed(), standing(-np.pi / 2))
    hidden, shown = (Joint.R_EYE, Joint.R_EAR), (Joint.L_EYE, Joint.L_EAR)
    if not known_joints(side.pose)[Joint.L_EAR]:
        hidden, shown = shown, hidden
    assert not known_joints(side.pose)[list(hidden)].any()
    assert known_joints(side.pose)[list(shown)].all()


def test_the_whole_figure_fits() -> None:
    for number in range(12):
        shot = synthetic_shot(1, number, 0)
        arm = ArmPose("up" if number % 2 else "hip", 1.0, 0.0, 0.0)
        body_pose = replace(shot.body_pose, left_arm=arm, right_arm=arm)
        framing = replace(shot.framing, view="full", top=0.03, bottom=0.03, bordered=True)
        parsing = render(synthetic_person(1, number), replace(shot, body_pose=body_pose, framing=framing)).parsing
        assert not parsing[[0, -1]].any()
        assert not parsing[:, [40, 215]].any()
        assert (parsing > 0).any(axis=1).sum() > 150


def test_changing_the_top_leaves_the_rest_alone() -> None:
    person = dressed(LONG_SLEEVES)
    patterned = replace(LONG_SLEEVES, texture=replace(PLAIN, kind="checked", color=(20.0, 90.0, 60.0)))
    shot = standing(0.4)
    first, second = render(person, shot), render(replace(person, top=patterned), shot)
    np.testing.assert_array_equal(first.pose, second.pose)
    np.testing.assert_array_equal(first.parsing, second.parsing)
    outside = first.parsing != Label.UPPER
    # One pixel from the garment nothing changes.
    near = np.zeros_like(outside)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            near |= np.roll(~outside, (dy, dx), (0, 1))
    np.testing.assert_array_equal(first.image[~near], second.image[~near])
    assert (first.image[~outside] != second.image[~outside]).mean() > 0.5


def test_swapping_tops_keeps_legs_and_head() -> None:
    shot = standing(0.0)
    bare, covered = render(dressed(TANK), shot), render(dressed(LONG_SLEEVES), shot)
    for label in (Label.L_LEG, Label.R_LEG, Label.HAIR):
        np.testing.assert_array_equal(bare.parsing == label, covered.parsing == label)


def test_a_pattern_moves_with_the_body() -> None:
    print_on_chest = replace(LONG_SLEEVES, texture=Texture("chest", (250.0, 250.0, 250.0), (10.0, 10.0, 10.0), 0.05, 3))

    def dark(yaw: float) -> int:
        rendering = render(dressed(print_on_chest), standing(yaw, "half"))
        return int(((rendering.image.max(axis=2) < 90) & (rendering.parsing == Label.UPPER)).sum())

    assert dark(0.0) > 100
    assert dark(np.pi) < 0.1 * dark(0.0)


def test_proportions_of_the_joints_are_those_of_photos() -> None:
    """On fashion photos the hips are .61-.70 of the shoulders' width apart and the trunk is 1.49-1.63 of it long."""
    widths, lengths = [], []
    for number in range(12):
        shot = synthetic_shot(0, 3, 0)
        body_pose = replace(standing(0.0).body_pose, roll=0.0, side_bend=0.0, bow=0.0, lean=0.0)
        framing = Framing("half", 0.04, 0.04, 0.5, 0.0, 4.0, 0.3, True)
        pose = render(synthetic_person(2, number), replace(shot, body_pose=body_pose, framing=framing)).pose
        shoulders = pose[Joint.L_SHOULDER, 0] - pose[Joint.R_SHOULDER, 0]
        widths.append((pose[Joint.L_HIP, 0] - pose[Joint.R_HIP, 0]) / shoulders)
        hips = (pose[Joint.L_HIP, 1] + pose[Joint.R_HIP, 1]) / 2
        lengths.append((hips - pose[Joint.NECK, 1]) / shoulders)
    assert 0.6 < np.mean(widths) < 0.72
    assert 1.42 < np.mean(lengths) < 1.65


@pytest.mark.parametrize("size", [(128, 64), (256, 176), (96, 160), (64, 64)])
def test_other_sizes(size: tuple[int, int]) -> None:
    for style in ("fashion", "market"):
        rendering = render(synthetic_person(1, 0), synthetic_shot(1, 0, 0, style), size)
        assert rendering.image.shape == (*size, 3)
        assert rendering.parsing.shape == size
        assert (rendering.parsing > 0).mean() > 0.04


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(InputError, match="style 'vogue'"):
        sample_shot(np.random.default_rng(0), "vogue")
    with pytest.raises(InputError, match="8x8"):
        render(synthetic_person(0, 0), synthetic_shot(0, 0, 0), (8, 8))
