"""Skirts that are parts of trousers, specks, and collars that are called hair."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pgen.body.labels import Label
from pgen.data.annotators.plausible_clothes import correct_clothes

DARK, RED = (40, 40, 60), (200, 30, 30)


def draw(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scores whose highest are ``labels``."""
    scores = np.zeros((10, *labels.shape), np.float32)
    np.put_along_axis(scores, labels[None].astype(int), 5, axis=0)
    return scores


def dress(above: Label, below: Label) -> NDArray[np.uint8]:
    """Somebody in upper clothes, one kind of cloth to the knees, and one below."""
    labels = np.zeros((200, 120), np.uint8)
    labels[20:80, 40:80], labels[80:130, 40:80], labels[130:190, 42:78] = Label.UPPER, above, below
    return labels


def paint(above: tuple[int, int, int], below: tuple[int, int, int]) -> NDArray[np.uint8]:
    image = np.full((200, 120, 3), 255, np.uint8)
    image[80:130], image[130:] = above, below
    return image


@pytest.mark.parametrize(
    ("above", "below", "colors", "are_trousers"),
    [
        (Label.PANTS, Label.SKIRT, (DARK, DARK), True),
        (Label.PANTS, Label.SKIRT, (DARK, (60, 62, 80)), True),  # in other light
        (Label.PANTS, Label.SKIRT, (DARK, RED), False),
        (Label.SKIRT, Label.PANTS, (DARK, DARK), True),
        (Label.SKIRT, Label.PANTS, (DARK, (60, 62, 80)), False),  # a dress over trousers
        (Label.SKIRT, Label.L_LEG, (DARK, DARK), False),
    ],
)
def test_a_skirt_of_the_same_cloth_as_trousers_is_a_part_of_them(
    above: Label, below: Label, colors: tuple[tuple[int, int, int], tuple[int, int, int]], are_trousers: bool
) -> None:
    labels = dress(above, below)
    given = draw(labels)
    found = correct_clothes(given, paint(*colors)).argmax(0)
    expected = np.where(labels == Label.SKIRT, Label.PANTS, labels) if are_trousers else labels
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(given, draw(labels))


def test_a_skirt_that_trousers_touch_at_a_corner_stays() -> None:
    labels = dress(Label.SKIRT, Label.L_LEG)
    labels[130:140, 42:52] = Label.PANTS
    np.testing.assert_array_equal(correct_clothes(draw(labels), paint(DARK, DARK)).argmax(0), labels)


def test_specks_take_what_is_around_them_and_small_parts_that_are_all_stay() -> None:
    labels = dress(Label.PANTS, Label.PANTS)
    labels[90:92, 50:52] = Label.L_ARM  # all that there is of it
    clean = labels.copy()
    labels[100:102, 60:62] = Label.UPPER
    labels[10:12, 10:12] = Label.UPPER
    labels[150:152, 60:62] = Label.BACKGROUND
    np.testing.assert_array_equal(correct_clothes(draw(labels), paint(DARK, DARK)).argmax(0), clean)


@pytest.mark.parametrize(
    ("color", "beside", "is_top"),
    [((10, 10, 10), Label.UPPER, True), ((190, 150, 90), Label.UPPER, False), ((10, 10, 10), Label.BACKGROUND, False)],
    ids=["a collar", "a lock of hair", "hair beside a body"],
)
def test_what_is_called_hair_on_a_top_is_a_part_of_it_if_it_looks_unlike_hair(
    color: tuple[int, int, int], beside: Label, is_top: bool
) -> None:
    labels, image = np.zeros((200, 120), np.uint8), np.full((200, 120, 3), 255, np.uint8)
    labels[10:40, 40:80], labels[50:150, 30:90] = Label.HAIR, beside
    labels[20:50, 48:72] = Label.FACE
    image[labels == Label.HAIR] = (180, 150, 80)
    labels[56:70, 50:70], image[56:70, 50:70] = Label.HAIR, color
    found = correct_clothes(draw(labels), image).argmax(0)
    assert (found[56:70, 50:70] == (Label.UPPER if is_top else Label.HAIR)).all()
    np.testing.assert_array_equal(found[:50], labels[:50])


def test_nobody_stays_nobody() -> None:
    scores = draw(np.zeros((40, 30), np.uint8))
    assert not correct_clothes(scores, np.zeros((40, 30, 3), np.uint8)).argmax(0).any()
