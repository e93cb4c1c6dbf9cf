from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import Joint, known_joints
from pgen.data.annotators.consensus import average_poses, decide, find_consensus
from pgen.data.annotators.landmarks import Landmarks, to_pose

SIZE = (256, 256)
SPOTS = {11: (160, 80), 12: (100, 80), 13: (175, 130), 14: (85, 130), 15: (180, 175), 16: (80, 175), 23: (148, 180),
         24: (112, 180), 25: (150, 225), 26: (110, 225), 27: (150, 250), 28: (110, 250)}  # fmt: skip
HEAD = {0: (130, 45), 2: (137, 38), 5: (123, 38), 7: (147, 42), 8: (113, 42), 9: (135, 55), 10: (125, 55)}
DEPTH = {0: -0.25, 2: -0.22, 5: -0.22, 7: 0.0, 8: 0.0, 9: -0.2, 10: -0.2}


def person(back: bool = False) -> Landmarks:
    points, world = np.full((33, 2), 130.0), np.zeros((33, 3))
    for index, spot in (SPOTS | HEAD).items():
        points[index] = spot
    for index, depth in DEPTH.items():
        world[index] = ((points[index, 0] - 130) / 150, 0.0, depth)
    front = Landmarks(points, world, np.full(33, 0.95), np.zeros(SIZE, np.float32))
    return front.relabel() if back else front


def test_joints_lie_near_their_landmarks() -> None:
    pose, confidence = to_pose(person(), SIZE)
    assert known_joints(pose).all()
    assert (confidence > 0.9).all()
    assert np.linalg.norm(pose[Joint.L_WRIST] - (180, 175)) < 8
    assert pose[Joint.L_SHOULDER, 0] > pose[Joint.R_SHOULDER, 0]


def test_from_behind_nose_and_eyes_are_missing_though_called_visible() -> None:
    pose, confidence = to_pose(person(back=True), SIZE)
    assert np.isnan(pose[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE]]).all()
    assert (confidence[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE]] == 0).all()
    assert known_joints(pose)[[Joint.R_EAR, Joint.L_EAR, Joint.NECK]].all()
    assert pose[Joint.L_SHOULDER, 0] < pose[Joint.R_SHOULDER, 0]


def test_in_profile_one_ear_is_missing() -> None:
    front = person()
    turned = front.world.copy()
    turned[:, 0], turned[:, 2] = front.world[:, 2], -front.world[:, 0]  # the left side towards the camera
    pose, _ = to_pose(Landmarks(front.points, turned, front.visibility, front.silhouette), SIZE)
    assert known_joints(pose)[[Joint.L_EAR, Joint.L_EYE, Joint.NOSE]].all()
    assert np.isnan(pose[Joint.R_EAR]).all()


def test_outside_and_hidden_are_missing() -> None:
    front = person()
    points, visibility = front.points.copy(), front.visibility.copy()
    points[[27, 28]] = (140, 300)
    visibility[15] = 0.05
    pose, _ = to_pose(Landmarks(points, front.world, visibility, front.silhouette), SIZE)
    assert np.isnan(pose[[Joint.R_ANKLE, Joint.L_ANKLE, Joint.L_WRIST]]).all()
    assert known_joints(pose)[Joint.R_WRIST]


def test_the_mirror_image_is_the_same_person_mirrored() -> None:
    pose, _ = to_pose(person(), SIZE)
    mirrored, _ = to_pose(person().mirror().mirror(), SIZE)
    np.testing.assert_allclose(mirrored, pose)
    other, _ = to_pose(person().mirror(), SIZE)
    np.testing.assert_allclose(other[Joint.R_WRIST], (255 - pose[Joint.L_WRIST, 0], pose[Joint.L_WRIST, 1]), atol=1e-3)


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def test_looks_that_agree_are_averaged() -> None:
    one = person()
    other = Landmarks(one.points + 4, one.world, one.visibility, one.silhouette)
    assert find_consensus(one, other, noise())
    np.testing.assert_allclose(average_poses([one, other]).points, one.points + 2)
    assert not find_consensus(one, person(back=True), noise())


def test_an_even_face_is_no_face() -> None:
    even = noise()
    even[20:75, 95:165] = 90
    assert not find_consensus(person(), person(), even)
    chosen, _ = decide([person(), person(), person(back=True)], even)
    assert not chosen.faces_camera
    chosen, _ = decide([person(), person(), person(back=True)], noise())
    assert chosen.faces_camera


def test_if_all_looks_are_upside_down_that_is_doubtful() -> None:
    one = person()
    over = Landmarks(one.points * (1, -1) + (0, 256), one.world, one.visibility, one.silhouette)
    assert not find_consensus(over, over, noise())
    assert decide([over, over], noise())[1]


@pytest.mark.parametrize("back", [False, True])
def test_places_stay_where_sides_are_swapped(back: bool) -> None:
    chosen, _ = decide([person(back), person(back), person(not back)], noise())
    assert {tuple(point) for point in chosen.points[[11, 12]]} == {(160.0, 80.0), (100.0, 80.0)}
