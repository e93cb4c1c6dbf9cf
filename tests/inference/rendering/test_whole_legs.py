"""Legs reach from hip to ankle in results, whatever H_S leaves out or draws elsewhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.crop import CropBox
from pgen.body.joints import LEGS, Joint
from pgen.body.labels import Label
from pgen.body.limb_fields import measure_along
from pgen.inference.person import Person
from pgen.inference.rendering.bones import match_bodies
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.places import Grid, Places
from pgen.inference.rendering.whole_legs import join_legs
from tests.data.examples import STANDING

SIDE = 128
RAISED = STANDING.copy()
RAISED[[Joint.L_KNEE, Joint.L_ANKLE]] = STANDING[Joint.L_HIP] + np.array([[22, 12], [22, 38]], np.float32)


def measure(pose: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each pixel (128, 128) is from the right and from the left leg's bones."""
    points = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1)
    right, left = (np.min([measure_along(points, pose[list(bone)])[1] for bone in pairwise(leg)], 0) for leg in LEGS)
    return right, left


def draw(pose: NDArray[np.float32], shorts: Label, end: float) -> NDArray[np.uint8]:
    """Bare legs, and what is worn over them, to a row below the hips."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    for label, away in zip((Label.R_LEG, Label.L_LEG), measure(pose), strict=True):
        labels[away < 4] = label
    rows = np.arange(SIDE)[:, None]
    hidden = (rows < pose[Joint.R_HIP, 1] + end) & (rows > pose[Joint.R_HIP, 1] - 4) & (min_distance(pose) < 6)
    labels[hidden] = shorts
    labels[31:62, 54:75] = Label.UPPER
    return labels


def min_distance(pose: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.minimum(*measure(pose))


def join(shown: NDArray[np.uint8], asked: NDArray[np.uint8]) -> Tensor:
    """The map (128, 128) of ``asked`` in the pose `RAISED`, of somebody standing in a photo with the map ``shown``."""
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE), STANDING, shown)
    canvas, grid = Canvas.of(person, None, (SIDE, SIDE), SIDE), Grid((slice(0, SIDE), slice(0, SIDE)))
    body = match_bodies(canvas.pose, RAISED, None)
    labels = torch.from_numpy(asked.astype(np.int64)).flatten()
    join_legs(canvas, body, Places(body, grid), labels)
    return grid.as_map(labels)


@pytest.mark.parametrize(("worn", "end"), [(Label.PANTS, 8), (Label.SKIRT, 8), (Label.SKIRT, 30)])
def test_a_raised_leg_is_whole_and_wears_what_the_photo_shows(worn: Label, end: float) -> None:
    asked = np.zeros((SIDE, SIDE), np.uint8)
    asked[31:62, 54:75] = Label.UPPER
    found = join(draw(STANDING, worn, end), asked)
    near = measure(RAISED)[1] < 1.5
    assert (found[near] != Label.BACKGROUND).all()
    thigh = near & (np.arange(SIDE)[:, None] < RAISED[Joint.L_KNEE, 1] - 2) & (asked == 0)
    share = float((found[torch.from_numpy(thigh)] == worn).float().mean())
    assert share > 0.9 if end > 20 else 0.05 < share < 0.6
    assert set(found[torch.from_numpy(thigh)].tolist()) <= {worn, Label.L_LEG}


def test_what_is_far_from_the_bones_goes_and_the_rest_stays() -> None:
    asked = draw(RAISED, Label.PANTS, 8)
    stray = asked.copy()
    stray[80:86, 30:44] = Label.L_LEG
    found = join(draw(STANDING, Label.PANTS, 8), stray).numpy()
    assert (found[80:86, 30:44] == Label.BACKGROUND).all()
    np.testing.assert_array_equal(found[asked > 0], asked[asked > 0])


def test_where_the_photo_shows_no_legs_none_are_added() -> None:
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[31:120, 54:75] = Label.UPPER
    asked = np.zeros((SIDE, SIDE), np.uint8)
    assert not join(shown, asked).any()
