from __future__ import annotations

import numpy as np
import torch

from pgen.body.crop import CropBox
from pgen.body.labels import Label
from pgen.inference.person import Person
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.compose import _soften_cuts, carry_pixels, find_main_parts
from pgen.inference.rendering.places import find_within
from tests.data.examples import STANDING


def test_parts_that_hang_with_nothing_have_to_be_large_and_shown() -> None:
    figure = np.zeros((60, 60), bool)
    body, shown_leg, painted_leg, speck = ((slice(5, 40), slice(10, 50)), *(
        (slice(45, 45 + height), slice(left, left + height)) for height, left in ((12, 5), (12, 25), (3, 45))
    ))  # fmt: skip
    for part in (body, shown_leg, painted_leg, speck):
        figure[part] = True
    is_shown = np.zeros_like(figure)
    is_shown[shown_leg] = is_shown[speck] = True
    kept = find_main_parts(figure, is_shown)
    assert kept[body].all()
    assert kept[shown_leg].all()
    assert not kept[painted_leg].any()
    assert not kept[speck].any()
    assert not kept[~figure].any()


def test_only_cuts_are_softened() -> None:
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    places = torch.stack([columns, rows], -1)
    image = (columns >= 15).float()[None].repeat(3, 1, 1) * 200
    torch.testing.assert_close(_soften_cuts(image, places, 0.8), image)  # a border that the photo shows
    places[:, 15:] += 40
    softened = _soften_cuts(image, places, 0.8)
    assert 20 < softened[0, 10, 14] < 100
    assert 100 < softened[0, 10, 15] < 180
    torch.testing.assert_close(softened[..., :9], image[..., :9])
    torch.testing.assert_close(softened[..., 21:], image[..., 21:])
    nowhere = torch.full_like(places, torch.nan)
    torch.testing.assert_close(_soften_cuts(image, nowhere, 0.8), image)


def test_beyond_the_photo_nothing_is_known() -> None:
    labels = np.zeros((128, 128), np.uint8)
    labels[20:100, :60] = Label.UPPER
    person = Person("a.png", np.zeros((128, 128, 3), np.uint8), CropBox(0, 0, 128, 128), STANDING, labels)
    canvas = Canvas.of(person, None, (128, 128), 128)
    places = torch.tensor([[-0.8, 60], [-0.3, 60], [20, 60]])
    _, valid = carry_pixels(canvas, torch.full((1, 3), int(Label.UPPER)), places.clone())
    assert valid.tolist() == find_within(canvas.label_tensor, places).tolist() == [False, True, True]
