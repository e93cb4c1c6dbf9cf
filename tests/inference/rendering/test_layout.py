from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from pgen.body.crop import CropBox
from pgen.body.joints import LEGS, Joint
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.limb_fields import measure_along
from pgen.inference.person import Person
from pgen.inference.rendering.bones import match_bodies
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.layout import choose_labels, close_skirts
from pgen.inference.rendering.places import Grid, find_within, look_up
from pgen.inference.rendering.turned_faces import find_turned_face
from tests.data.examples import STANDING
from tests.inference.rendering.test_turned_faces import turn_to_the_side

SIDE = 128
HAND = (slice(64, 71), slice(44, 50))  #: the right one, below its wrist at (47, 63)


def choose(shows_hand: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Map, places and labels there for someone who stays as they are, but has got a long left hand."""
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[31:66, 54:75] = Label.UPPER
    asked = torch.from_numpy(shown.copy()).long()
    asked[64:76, 76:87] = Label.L_ARM
    if shows_hand:
        shown[HAND] = Label.R_ARM
    box = CropBox(0, 0, SIDE, SIDE)
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), box, STANDING, shown)
    canvas = Canvas.of(person, None, (SIDE, SIDE), SIDE)
    grid = Grid((slice(0, SIDE), slice(0, SIDE)))
    probabilities = torch.nn.functional.one_hot(asked, LABEL_COUNT).permute(2, 0, 1).float()
    found = choose_labels(canvas, match_bodies(STANDING, STANDING, None), probabilities, grid, False)
    return grid.as_map(found[0]), grid.as_map(found[1]), grid.as_map(found[2])


def test_nothing_is_known_beyond_the_photo() -> None:
    labels = torch.ones(4, 6, dtype=torch.long)
    places = torch.tensor([[0.0, 0], [5.4, 3.4], [5.6, 1], [2, 3.6], [-0.6, 1], [torch.nan, 1]])
    assert find_within(labels, places).tolist() == [True, True, False, False, False, False]
    assert look_up(labels, places[:2]).tolist() == [1, 1]


def test_a_skirt_goes_on_between_the_legs() -> None:
    labels = torch.zeros(40, 60, dtype=torch.long)
    labels[5:30, 10:25] = labels[5:35, 35:50] = Label.SKIRT
    labels[20:24, 28:30] = Label.L_ARM  # stays before it
    upright, lying = labels.clone(), labels.T.contiguous()
    expected = labels.clone()
    expected[5:30, 25:35] = Label.SKIRT
    expected[20:24, 28:30] = Label.L_ARM
    trunk = torch.tensor([[30.0, 0], [32.0, 9]])
    everywhere = torch.ones_like(labels, dtype=torch.bool)
    high = labels.clone()
    close_skirts(high, trunk, ~everywhere)
    assert torch.equal(high, labels)
    close_skirts(upright, trunk, everywhere)
    assert torch.equal(upright, expected)
    close_skirts(lying, trunk.flip(1), everywhere.T)
    assert torch.equal(lying, expected.T)
    trousers = labels.masked_fill(labels == Label.SKIRT, int(Label.PANTS))
    close_skirts(trousers, trunk, everywhere)
    assert not (trousers[5:30, 25:28] > 0).any()


def test_a_hand_that_is_not_seen_is_the_other_one_mirrored() -> None:
    labels, places, shown_as = choose(shows_hand=True)
    mirrored = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mirrored[HAND] = True
    mirrored = mirrored.flip(1).roll(1, 1)  # about the column 64
    found = labels == Label.L_ARM
    assert (found & mirrored).sum() > 0.8 * (found | mirrored).sum()
    rows, columns = found.nonzero().T
    assert (shown_as[found] == Label.R_ARM).all()
    torch.testing.assert_close(places[found], torch.stack([128 - columns, rows], 1).float(), atol=1.5, rtol=0)
    own = (labels == Label.R_ARM) & (shown_as == Label.R_ARM)
    assert own[HAND].float().mean() > 0.8


def test_of_a_hand_that_is_nowhere_seen_there_is_a_fist() -> None:
    labels, _, shown_as = choose(shows_hand=False)
    rows, columns = (labels == Label.L_ARM).nonzero().T
    assert 20 < len(rows) < 60
    assert rows.max() < 72
    assert (columns - 81).abs().max() <= 5
    assert (labels[72:76, 76:87] == Label.BACKGROUND).all()
    assert torch.equal(labels, shown_as)


def test_a_leg_that_is_not_seen_is_the_other_one_mirrored() -> None:
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[31:66, 54:75] = Label.UPPER
    asked = shown.copy()
    rows, columns = np.indices(shown.shape)
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    for label, leg in ((Label.R_LEG, LEGS[0]), (Label.L_LEG, LEGS[1])):
        away = np.minimum(*(measure_along(points, STANDING[list(bone)])[1] for bone in pairwise(leg)))
        near = (away < 4).reshape(shown.shape) & (shown == 0)
        asked[near] = label
        if label == Label.L_LEG:
            shown[near] = label
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE), STANDING, shown)
    canvas, grid = Canvas.of(person, None, (SIDE, SIDE), SIDE), Grid((slice(0, SIDE), slice(0, SIDE)))
    probabilities = torch.nn.functional.one_hot(torch.from_numpy(asked).long(), LABEL_COUNT).permute(2, 0, 1).float()
    labels, places, shown_as = map(
        grid.as_map, choose_labels(canvas, match_bodies(STANDING, STANDING, None), probabilities, grid, False)
    )
    assert canvas.unseen == {Label.R_LEG}
    right = labels == Label.R_LEG
    assert right.sum() > 0.8 * (asked == Label.R_LEG).sum()
    assert (shown_as[right] == Label.L_LEG).all()
    rows, columns = right.nonzero().T
    torch.testing.assert_close(places[right], torch.stack([128 - columns, rows], 1).float(), atol=1.5, rtol=0)
    assert (shown_as[labels == Label.L_LEG] == Label.L_LEG).all()


@pytest.mark.parametrize("is_hidden", [True, False])
def test_feet_that_trousers_hide_stay_hidden(is_hidden: bool) -> None:
    """H_S says feet; the photo shows them, or trousers down to the ground."""
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[31:66, 54:75] = Label.UPPER
    for x in (58, 70):
        shown[66:120, x - 4 : x + 5] = Label.PANTS
    asked = shown.copy()
    pose = STANDING.copy()
    for (hip, knee, ankle), x, label in zip(LEGS, (58, 70), (Label.R_LEG, Label.L_LEG), strict=True):
        pose[[hip, knee, ankle]] = [(x, 66), (x, 90), (x, 110)]
        asked[112:124, x - 4 : x + 5] = label
    if not is_hidden:
        shown[112:124] = asked[112:124]
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE), pose, shown)
    canvas, grid = Canvas.of(person, None, (SIDE, SIDE), SIDE), Grid((slice(0, SIDE), slice(0, SIDE)))
    probabilities = torch.nn.functional.one_hot(torch.from_numpy(asked).long(), LABEL_COUNT).permute(2, 0, 1).float()
    labels = grid.as_map(choose_labels(canvas, match_bodies(pose, pose, None), probabilities, grid, False)[0])
    feet = (labels == Label.L_LEG) | (labels == Label.R_LEG)
    assert feet[114:].any() != is_hidden
    if is_hidden:
        assert (labels[114:118, 56:61] == Label.PANTS).all()
        assert not labels[122:].any()


@pytest.mark.parametrize("is_long", [False, True])
def test_from_the_side_short_hair_ends_above_the_neck(is_long: bool) -> None:
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[8:14, 55:74], shown[14:30, 57:72], shown[31:66, 54:75] = Label.HAIR, Label.FACE, Label.UPPER
    if is_long:
        shown[14:31, 52:57] = Label.HAIR
    side = turn_to_the_side(STANDING)
    face = find_turned_face(STANDING, side)
    assert face is not None
    asked = np.zeros_like(shown)
    asked[8:29, 52:66], asked[14:29, 66:73], asked[31:66, 57:71] = Label.HAIR, Label.FACE, Label.UPPER
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE), STANDING, shown)
    canvas, grid = Canvas.of(person, None, (SIDE, SIDE), SIDE), Grid((slice(0, SIDE), slice(0, SIDE)))
    probabilities = torch.nn.functional.one_hot(torch.from_numpy(asked).long(), LABEL_COUNT).permute(2, 0, 1).float()
    body = match_bodies(STANDING, side, None, face)
    labels, places, _ = (grid.as_map(found) for found in choose_labels(canvas, body, probabilities, grid, False))
    assert (labels[10:16, 54:64] == Label.HAIR).all()
    assert (labels[25:28, 62:65] == (Label.HAIR if is_long else Label.FACE)).all()
    assert (labels[25:28, 53:56] == (Label.HAIR if is_long else Label.BACKGROUND)).all()
    known = ~places.isnan().any(-1) & (labels == Label.FACE)
    assert known.any()
    assert (look_up(torch.from_numpy(shown), places[known]) == Label.FACE).all()


def test_from_the_side_shoes_are_those_of_the_photo() -> None:
    """H_S makes up a large foot; the photo shows narrow ones, which point down."""
    shown = np.zeros((SIDE, SIDE), np.uint8)
    shown[31:66, 54:75] = Label.UPPER
    pose, side = STANDING.copy(), STANDING.copy()
    for (hip, knee, ankle), x, label in zip(LEGS, (58, 70), (Label.R_LEG, Label.L_LEG), strict=True):
        pose[[hip, knee, ankle]] = [(x, 64), (x, 86), (x, 108)]
        shown[66:118, x - 2 : x + 3] = label
    side[:, 0] = 64 + 0.05 * (pose[:, 0] - 64)
    side[:, 1] = pose[:, 1]
    side[Joint.NOSE, 0] = 72
    asked = np.zeros_like(shown)
    asked[66:104, 60:69], asked[104:120, 56:78] = Label.L_LEG, Label.L_LEG
    person = Person("a.png", np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE), pose, shown)
    canvas, grid = Canvas.of(person, None, (SIDE, SIDE), SIDE), Grid((slice(0, SIDE), slice(0, SIDE)))
    probabilities = torch.nn.functional.one_hot(torch.from_numpy(asked).long(), LABEL_COUNT).permute(2, 0, 1).float()
    found = choose_labels(canvas, match_bodies(pose, side, None), probabilities, grid, False)
    labels, places = grid.as_map(found[0]), grid.as_map(found[1])
    foot = (labels[109:] == Label.L_LEG) | (labels[109:] == Label.R_LEG)
    rows, columns = foot.nonzero().T
    assert 69 < columns.max() < 77
    assert columns.min() > 58
    assert rows.max() < 7
    toe = places[109 + int(rows[columns.argmax()]), int(columns.max())]
    assert toe[1] > 114  # at the end of a foot in the photo
