from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import Joint
from pgen.synthetic.body import load_body, skin_vertices
from pgen.synthetic.body_pose import sample_body_pose
from pgen.synthetic.dataset import synthetic_person
from pgen.synthetic.person_mesh import build_person_mesh
from pgen.synthetic.poses import solve_pose, solve_two_bones


def test_limbs_keep_their_lengths() -> None:
    body, figure = load_body(), build_person_mesh(synthetic_person(0, 0))
    for number in range(20):
        transforms = solve_pose(body, figure, sample_body_pose(np.random.default_rng(number)))
        joints = skin_vertices(figure.joints, figure.joint_weights, transforms)
        for first, second in (
            (Joint.L_ELBOW, Joint.L_WRIST),
            (Joint.R_ELBOW, Joint.R_WRIST),
            (Joint.L_KNEE, Joint.L_ANKLE),
        ):
            length = np.linalg.norm(joints[first] - joints[second])
            assert length == pytest.approx(np.linalg.norm(figure.joints[first] - figure.joints[second]), abs=2e-3)
        np.testing.assert_allclose(np.linalg.det(transforms[:, :, :3]), 1, atol=1e-6)


def test_knees_bend_back_and_elbows_forward() -> None:
    body, figure = load_body(), build_person_mesh(synthetic_person(0, 1))
    pelvis, chest = body.bone("root"), body.bone("spine01")
    for number in range(60):
        transforms = solve_pose(body, figure, sample_body_pose(np.random.default_rng(number)))
        joints = skin_vertices(figure.joints, figure.joint_weights, transforms)
        for hip, knee, ankle in (
            (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE),
            (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE),
        ):
            # Seen from the pelvis, the knee is in front of the line from hip to ankle (y is to the back).
            line = transforms[pelvis, :, :3].T @ (joints[[hip, knee, ankle]] - joints[hip]).T
            middle = line[:, 2] * line[2, 1] / line[2, 2]
            assert line[1, 1] < middle[1] + 0.02
        for shoulder, elbow, wrist in (
            (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST),
            (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST),
        ):
            upper = transforms[chest, :, :3].T @ (joints[elbow] - joints[shoulder])
            fore = transforms[chest, :, :3].T @ (joints[wrist] - joints[elbow])
            bend = np.degrees(np.arccos(np.clip(upper @ fore / np.linalg.norm(upper) / np.linalg.norm(fore), -1, 1)))
            assert bend < 155
            if upper[2] < -0.2:  # a hanging arm: the forearm never swings further back than the upper arm
                assert fore[1] / np.linalg.norm(fore) < upper[1] / np.linalg.norm(upper) + 0.25


def test_the_wrist_reaches_its_goal() -> None:
    start, goal = np.array([0.2, 0.0, 0.6]), np.array([0.35, -0.2, 0.3])
    upper, fore = solve_two_bones(start, goal, np.array([0.0, 1.0, 0.0]), 0.28, 0.25)
    np.testing.assert_allclose(start + 0.28 * upper + 0.25 * fore, goal, atol=1e-9)
    elbow = start + 0.28 * upper
    assert elbow[1] > (start + goal)[1] / 2  # on the pole's side
