from __future__ import annotations

import sys

import numpy as np
import pytest

from pgen.body.labels import Label
from pgen.inference.rendering.things import complete_things, find_rest_on_clothes

HEIGHT, WIDTH = 160, 120
FIGURE, BAG = (slice(20, 150), slice(50, 80)), (slice(90, 130), slice(80, 110))


def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo with a bag beside a figure of the same color, of which a map shows the part next to the figure."""
    rng = np.random.default_rng(0)
    image = rng.integers(150, 170, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    figure, carried = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), bool)
    figure[FIGURE] = True
    for region in (FIGURE, BAG):
        image[region] = rng.integers(30, 50, (*image[region].shape[:2], 3))
    carried[93:127, 80:98] = True
    return image, carried, figure


def test_the_rest_of_a_bag_is_found() -> None:
    pytest.importorskip("cv2")
    image, carried, figure = draw()
    bag = np.zeros_like(figure)
    bag[BAG] = True
    found = complete_things(image, carried, figure)
    assert (found & bag).sum() > 0.95 * bag.sum()
    assert (found & ~bag).sum() < 0.05 * bag.sum()
    np.testing.assert_array_equal(complete_things(image, carried, figure), found)


def test_without_opencv_there_is_the_hull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    image, carried, figure = draw()
    carried[105:115, 86:98] = False
    found = complete_things(image, carried, figure)
    assert found[105:115, 86:97].all()
    assert not found[:, 98:].any()


def test_specks_at_the_border_and_nothing_at_all() -> None:
    image, carried, figure = draw()
    assert not complete_things(image, np.zeros_like(carried), figure).any()
    speck = np.zeros_like(carried)
    speck[0, 0] = speck[HEIGHT - 1, WIDTH - 1] = True
    assert complete_things(image, speck, figure)[0, 0]
    tiny = np.ones((2, 2), bool)
    assert complete_things(image[:2, :2], tiny, ~tiny).all()


@pytest.mark.parametrize(("color", "is_found"), [((200, 200, 120), True), ((45, 45, 50), False)])
def test_a_flap_before_clothes_goes_with_its_bag_unless_it_looks_like_them(
    color: tuple[int, int, int], is_found: bool
) -> None:
    image, carried, figure = draw()
    labels = np.where(figure, Label.SKIRT, 0).astype(np.uint8)
    image[93:113, 75:80] = color  # the flap, which the map calls a skirt
    image[30:40, 55:65] = color  # and a pattern far from it
    labels[115:127, 70:80] = Label.L_ARM
    found = find_rest_on_clothes(image, carried, labels)
    assert found[95:111, 76:80].all() == found.any() == is_found
    assert not found[:88].any()
    assert not found[labels != Label.SKIRT].any()


def test_with_nothing_carried_nothing_is_found() -> None:
    image, carried, figure = draw()
    assert not find_rest_on_clothes(image, np.zeros_like(carried), figure.astype(np.uint8)).any()
