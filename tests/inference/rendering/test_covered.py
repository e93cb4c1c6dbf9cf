from __future__ import annotations

import numpy as np
import pytest

from pgen.body.labels import Label
from pgen.inference.rendering.covered import uncover_clothes

NONE = np.zeros((60, 60), bool)


def uncover(labels: np.ndarray, covers: np.ndarray) -> np.ndarray:
    is_low = NONE.copy()
    is_low[25:] = True
    return uncover_clothes(np.where(covers, np.uint8(0), labels), NONE, covers, is_low, 60, 1)


def cover(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    covers = NONE.copy()
    covers[top:bottom, left:right] = True
    return covers


def test_behind_a_bag_is_what_is_shown_on_both_sides_of_it() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[10:30, 10:50] = Label.UPPER
    labels[30:55, 24:36] = Label.PANTS
    labels[20:30, 28:32] = Label.PANTS  # between the halves of a coat
    found = uncover(labels, covers := cover(24, 45, 20, 40))
    assert (found[24:45, 28:32] == Label.PANTS).all()
    np.testing.assert_array_equal(found[~covers], labels[~covers])


@pytest.mark.parametrize("is_longer_elsewhere", [False, True])
def test_a_top_behind_a_bag_ends_where_the_rest_of_it_does(is_longer_elsewhere: bool) -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[10:26, 10:50] = Label.UPPER
    labels[26:55, 24:36] = Label.PANTS
    if is_longer_elsewhere:
        labels[26:42, 40:50] = Label.UPPER
    found = uncover(labels, cover(26, 46, 22, 38))
    low = found[28:30, 26:34]
    assert (low == (Label.UPPER if is_longer_elsewhere else Label.PANTS)).all()


def test_nothing_covered_changes_nothing() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[10:30, 10:50] = Label.UPPER
    np.testing.assert_array_equal(uncover(labels, NONE), labels)


def test_a_skirt_behind_a_bag_is_no_wider_than_above_and_below_it() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[6:16, 10:50] = Label.UPPER  # with wide sleeves
    labels[16:24, 20:40] = Label.UPPER
    labels[24:56, 20:40] = Label.SKIRT
    labels[50:56, 40:44] = Label.SKIRT
    found = uncover(labels, covers := cover(28, 46, 30, 56))
    assert (found[28:46, 30:40] == Label.SKIRT).all()
    assert not found[28:46, 46:56].any()
    np.testing.assert_array_equal(found[~covers], labels[~covers])


def test_a_corner_of_a_bag_that_is_called_a_skirt_widens_none() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[10:46, 20:40] = Label.SKIRT
    covers = cover(36, 54, 30, 58)
    labels[50:54, 54:58], covers[50:54, 54:58] = Label.SKIRT, False
    found = uncover(labels, covers)
    assert not found[47:, :50].any()
    assert not found[:, 41:54].any()


def test_a_leg_behind_a_bag_goes_on_to_its_end() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[10:30, 20:40] = Label.UPPER
    labels[30:54, 20:28] = Label.PANTS
    labels[30:54, 32:40] = Label.PANTS
    whole = labels.copy()
    found = uncover(labels, cover(40, 52, 31, 50))
    np.testing.assert_array_equal(found[40:52, 32:40], whole[40:52, 32:40])
