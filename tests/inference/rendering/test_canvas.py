from __future__ import annotations

import numpy as np
import pytest

from pgen.body.crop import CropBox
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
