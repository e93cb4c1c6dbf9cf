"""Pictures: right places and colors; their looks are for people to judge."""

from __future__ import annotations

import numpy as np
import pytest

from pgen.body.joints import Joint
from pgen.body.labels import PALETTE
from pgen.body.viz import DARK, colorize_parsing, draw_parts, draw_sheet, draw_skeleton
from tests.body.definitions import part_masks, pose_mask
from tests.body.poses import STANDING


def test_skeleton_lies_on_the_bones() -> None:
    picture = draw_skeleton((128, 100), STANDING)
    assert picture.shape == (128, 100, 3)
    assert picture.dtype == np.uint8
    drawn = (picture != DARK).any(axis=-1)
    assert not drawn[~pose_mask(STANDING, (128, 100), radius=4)].any()
    for x, y in STANDING.astype(int):
        assert drawn[y, x]


def test_right_side_is_warm_and_left_side_cool() -> None:
    picture = draw_skeleton((128, 128), STANDING).astype(int)
    for right, left in (
        (Joint.R_ELBOW, Joint.L_ELBOW),
        (Joint.R_WRIST, Joint.L_WRIST),
        (Joint.R_KNEE, Joint.L_KNEE),
    ):
        (rx, ry), (lx, ly) = STANDING[right].astype(int), STANDING[left].astype(int)
        assert picture[ry, rx, 0] > picture[ry, rx, 2] + 50
        assert picture[ly, lx, 2] > picture[ly, lx, 0] + 50


def test_missing_joints_are_not_drawn() -> None:
    nothing = np.full((18, 2), np.nan, dtype=np.float32)
    assert (draw_skeleton((20, 30), nothing) == DARK).all()
    assert (draw_parts((20, 30), nothing) == DARK).all()
    headless = STANDING.copy()
    headless[[0, 14, 15, 16, 17]] = np.nan
    assert (draw_parts((128, 128), headless)[:25] == DARK).all()


def test_picture_underneath_is_kept() -> None:
    ground = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    before = ground.copy()
    picture = draw_skeleton(ground, STANDING)
    np.testing.assert_array_equal(ground, before)
    np.testing.assert_array_equal(picture[:, :30], ground[:, :30])
    assert (picture != ground).any()


def test_parts_are_drawn_where_their_masks_are() -> None:
    drawn = (draw_parts((128, 128), STANDING) != DARK).any(axis=-1)
    masks = part_masks(STANDING, (128, 128))[1:].any(axis=0)
    assert drawn[masks].mean() > 0.99
    assert (drawn & ~masks).sum() < 0.25 * masks.sum()  # only the outlines reach further


def test_parsing_takes_the_palette() -> None:
    parsing = np.array([[0, 3], [9, 1]], dtype=np.uint8)
    np.testing.assert_array_equal(colorize_parsing(parsing)[1, 0], PALETTE[9])
    with pytest.raises(ValueError, match="labels must be"):
        colorize_parsing(np.array([[10]]))


def test_sheet_holds_every_picture_in_cells_of_one_size() -> None:
    red, green = np.zeros((60, 40, 3), np.uint8), np.zeros((120, 240, 3), np.uint8)
    red[..., 0] = green[..., 1] = 255
    page = draw_sheet([[("red", red), ("green", green)], [("a caption much too long for the cell " * 4, red)]])
    assert (page[:3] == 255).all()  # a white margin
    is_red, is_green = (page == [255, 0, 0]).all(axis=-1), (page == [0, 255, 0]).all(axis=-1)
    assert is_green.sum() == 120 * 240
    assert is_red.sum() == 2 * 120 * 80  # twice enlarged to the height of the cell
    columns = np.flatnonzero(is_red.any(axis=0))
    assert columns[-1] - columns[0] + 1 == 80  # one below the other
    other = page[~is_red & ~is_green]
    assert (other.min(axis=-1) < 128).sum() > 50  # the captions


def test_captions_of_small_pictures_stay_readable() -> None:
    page = draw_sheet([[("a_name.jpg", np.zeros((64, 32, 3), np.uint8))]])
    assert page.shape[1] >= 128


def test_sheet_without_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw_sheet([[], []])
