from __future__ import annotations

import multiprocessing
import os
import sys
import threading

import numpy as np
import pytest

from pgen.body.crop import CropBox
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.inference.person import Person
from pgen.inference.rendering.canvas import Canvas
from tests.data.examples import STANDING

SIDE = 128


@pytest.mark.parametrize("is_known", [True, False], ids=["carried", "only in the silhouette"])
def test_behind_a_bag_cloth_goes_on_as_far_as_it_is_seen_above_and_below(is_known: bool) -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[70:120, 45:85] = Label.SKIRT
    bag = np.zeros_like(labels, dtype=bool)
    bag[85:105, 65:110] = True  # reaches over the edge of the skirt
    labels[80:90, 70:76] = Label.L_ARM  # holds it
    hand = labels == Label.L_ARM
    labels[bag & ~hand] = Label.BACKGROUND
    bag &= ~hand
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    person = Person("a.png", image, box, STANDING, labels, carried=bag if is_known else None)
    under = Canvas.of(person, bag | (labels > 0), (SIDE, SIDE), SIDE).under.numpy()
    assert (under[70:120, 45:85] == Label.SKIRT).all()
    assert not under[:, 86:].any()


def test_nothing_is_under_someone_who_wears_nothing() -> None:
    labels = np.full((SIDE, SIDE), Label.FACE, np.uint8)
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    canvas = Canvas.of(Person("a.png", image, box, STANDING, labels), None, (SIDE, SIDE), SIDE)
    assert (canvas.under == Label.FACE).all()


def test_a_hand_beside_a_skirt_makes_it_no_wider_and_one_before_it_leaves_no_hole() -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[70:120, 50:80] = Label.SKIRT
    expected = labels.copy()
    labels[80:92, 40:50] = Label.R_ARM
    labels[80:92, 60:68] = Label.L_ARM
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    under = Canvas.of(Person("a.png", image, box, STANDING, labels), None, (SIDE, SIDE), SIDE).under.numpy()
    np.testing.assert_array_equal(under, expected)


@pytest.mark.parametrize("height", [2, 12])
def test_a_hand_above_the_flare_of_a_skirt_does_not_widen_it_by_what_is_over_it(height: int) -> None:
    column, row = STANDING[Joint.R_ELBOW].round().astype(int)
    arm = slice(column - 2, column + 2)
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[row - 8 : row, arm] = Label.UPPER  # a sleeve
    labels[90:100, arm] = Label.R_ARM
    labels[90:120, column + 2 : 80] = Label.SKIRT
    labels[100:120, arm] = Label.SKIRT
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    silhouette = labels > 0
    silhouette[row : row + height, column - 6 : column + 6] = True
    person = Person("a.png", image, box, STANDING, labels)
    under = Canvas.of(person, silhouette, (SIDE, SIDE), SIDE).under.numpy()
    assert not under[90:100, arm].any()
    assert (under[100:120, arm] == Label.SKIRT).all()


def test_what_a_sleeve_parts_from_the_top_is_of_the_sleeve() -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[31:66, 54:75] = Label.UPPER
    under = labels.copy()
    wrist, elbow = STANDING[[Joint.R_WRIST, Joint.R_ELBOW]]
    rows, columns = np.indices(labels.shape)
    along = np.clip((rows - elbow[1]) / (wrist[1] - elbow[1]), 0, 1)
    middle = elbow[0] + along * (wrist[0] - elbow[0])
    wide = (np.abs(columns - middle) < 7) & (rows > elbow[1]) & (rows < wrist[1]) & (columns < 52)
    labels[wide] = Label.UPPER
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    found = Canvas.of(Person("a.png", image, box, STANDING, labels), None, (SIDE, SIDE), SIDE).under.numpy()
    assert wide.sum() > 100
    assert not found[wide].any()
    assert (found == Label.UPPER).sum() > 0.8 * (under == Label.UPPER).sum()


@pytest.mark.parametrize("has_hand", [True, False])
def test_a_sleeve_goes_on_over_the_wrist_to_where_the_hand_begins(has_hand: bool) -> None:
    column, row = STANDING[Joint.R_WRIST].round().astype(int)
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[31 : row + 9, column - 2 : 75] = Label.UPPER  # a coat, and the sleeve before it
    cuff = slice(row + 5, row + 9), slice(column - 2, column + 2)
    if has_hand:
        labels[row + 9 : row + 16, column - 2 : column + 2] = Label.R_ARM
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    sleeves = Canvas.of(Person("a.png", image, box, STANDING, labels), None, (SIDE, SIDE), SIDE).sleeves
    assert sleeves[cuff].all() == has_hand


@pytest.mark.parametrize(("end", "hides"), [(80, False), (100, True)])
def test_long_skirts_hide_knees(end: int, hides: bool) -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[60:end, 45:85] = Label.SKIRT
    labels[end:118, 50:60] = Label.R_LEG
    image, box = np.zeros((SIDE, SIDE, 3), np.uint8), CropBox(0, 0, SIDE, SIDE)
    assert Canvas.of(Person("a.png", image, box, STANDING, labels), None, (SIDE, SIDE), SIDE).hides_knees == hides
    unknown = STANDING.copy()
    unknown[Joint.R_KNEE] = np.nan
    assert not Canvas.of(Person("a.png", image, box, unknown, labels), None, (SIDE, SIDE), SIDE).hides_knees


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.parametrize("is_begun", [False, True])
def test_backgrounds_are_filled_in_forked_processes_too(is_begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[20:120, 50:80] = Label.UPPER
    image, box = np.full((SIDE, SIDE, 3), 9, np.uint8), CropBox(0, 0, SIDE, SIDE)
    person = Person("a.png", image, box, STANDING, labels)
    Canvas.of(person, None, (SIDE, SIDE), SIDE).fill(False).result()  # the thread of this process runs
    canvas, may_go_on = Canvas.of(person, None, (SIDE, SIDE), SIDE), threading.Event()
    monkeypatch.setattr(Canvas, "_fill", lambda *_: (may_go_on.wait(), image)[1])
    begun = canvas.fill(False) if is_begun else None

    def fill_there() -> None:
        monkeypatch.setattr(Canvas, "_fill", lambda *_: image)
        sys.exit(int((canvas.fill(False).result(10) != image).any()))

    child = multiprocessing.get_context("fork").Process(target=fill_there)
    child.start()
    child.join(20)
    child.kill()
    may_go_on.set()
    assert child.exitcode == 0
    if begun is not None:
        begun.result()
