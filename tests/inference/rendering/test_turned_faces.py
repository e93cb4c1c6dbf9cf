from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pgen.body.joints import Joint
from pgen.inference.rendering.heads import plan_head
from pgen.inference.rendering.turned_faces import find_turned_face
from tests.data.examples import STANDING


def turn_to_the_side(pose: NDArray[np.float32], is_mirrored: bool = False) -> NDArray[np.float32]:
    """A body that looks to the right, of which the right side is seen; or to the left, of which the left one is."""
    found = pose.copy()
    middle = float(pose[[Joint.R_SHOULDER, Joint.L_SHOULDER], 0].mean())
    found[[Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.R_HIP, Joint.L_HIP], 0] = middle
    way = -1 if is_mirrored else 1
    seen, hidden = ((Joint.L_EYE, Joint.L_EAR), (Joint.R_EYE, Joint.R_EAR))[:: 1 if is_mirrored else -1]
    found[list(hidden)] = np.nan
    heights = pose[[Joint.NOSE, *seen], 1]
    found[[Joint.NOSE, *seen]] = np.stack([middle + way * np.array([9, 6, -3]), heights], 1)
    return found


def test_small_bodies_turn_their_faces_too() -> None:
    side = turn_to_the_side(STANDING)
    small = find_turned_face(STANDING, side / 5)
    assert small is not None
    nose = torch.from_numpy(side[[Joint.NOSE]])
    large = find_turned_face(STANDING, side)
    assert large is not None
    torch.testing.assert_close(small.carry(nose / 5), large.carry(nose), atol=0.05, rtol=0)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_joints_of_the_half_that_is_seen_lie_on_each_other(is_mirrored: bool) -> None:
    side = turn_to_the_side(STANDING, is_mirrored)
    plan = plan_head(STANDING, side, "auto", is_bundled=True)
    assert plan.carry is None
    assert plan.face is not None
    assert plan.note is not None
    assert "one side" in plan.note
    joints = [Joint.NOSE, *((Joint.L_EYE, Joint.L_EAR) if is_mirrored else (Joint.R_EYE, Joint.R_EAR))]
    found = plan.face.carry(torch.from_numpy(side[joints]))[:, 0].numpy()
    halves = (STANDING[joints, 0], 2 * STANDING[Joint.NOSE, 0] - STANDING[joints, 0])  # either, or mirrored
    assert min(np.abs(found - half).max() for half in halves) < 1e-3


def test_both_eyes_may_be_seen() -> None:
    target = STANDING.copy()
    target[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR], 0] = 68, 64, 69.5, 57
    target[Joint.L_EAR] = np.nan
    plan = plan_head(STANDING, target, "auto", is_bundled=False)
    assert plan.face is not None
    joints = [Joint.R_EAR, Joint.R_EYE, Joint.NOSE, Joint.L_EYE]
    found = plan.face.carry(torch.from_numpy(target[joints]))[:, 0].numpy()
    np.testing.assert_allclose(found, STANDING[joints, 0], atol=1e-3)


def test_necks_are_as_wide_as_they_are() -> None:
    face = find_turned_face(STANDING, turn_to_the_side(STANDING))
    assert face is not None
    below = torch.tensor([[0.0, face.ends[1] + 1], [10.0, face.ends[1] + 1]])
    assert float(face.carry(below)[:, 0].diff()) == pytest.approx(10 * face.scale, abs=1e-3)


def test_what_shows_no_half_of_a_face_makes_no_face() -> None:
    side = turn_to_the_side(STANDING)
    for hidden in ([Joint.NOSE], [Joint.R_EYE, Joint.L_EYE]):
        source = STANDING.copy()
        source[hidden] = np.nan
        assert find_turned_face(source, side) is None
    narrow = STANDING.copy()
    narrow[[Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR], 0] = narrow[Joint.NOSE, 0] + 0.1
    assert find_turned_face(narrow, side) is None
