from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.inference.rendering import background
from pgen.inference.rendering.background import fill_background
from pgen.inference.rendering.background_detail import find_detail


def make_sand(height: int, width: int) -> np.ndarray:
    """Fine grains (height, width, 3) above, hardly any below."""
    grains = np.random.default_rng(3).normal(0, 1, (height, width, 1)) * np.linspace(40, 4, height)[:, None, None]
    return np.clip(128 + grains.repeat(3, 2), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("has_texture", [True, False])
def test_what_is_filled_is_as_grainy_as_what_is_beside_it(monkeypatch: pytest.MonkeyPatch, has_texture: bool) -> None:
    if not has_texture:
        monkeypatch.setattr(background, "has_patch_match", lambda: False)
    image, figure = make_sand(640, 480), np.zeros((640, 480), bool)
    figure[100:560, 180:300] = True
    image[figure] = (255, 0, 0)
    filled = fill_background(image, figure)
    assert (filled[:, :150] == image[:, :150]).all()
    for rows in (slice(120, 200), slice(460, 540)):
        inside, beside = (
            np.std(ndimage.laplace(filled[rows, columns, 1].astype(float)))
            for columns in (slice(190, 290), slice(40, 140))
        )
        assert 0.6 < inside / beside < 1.4


def test_detail_is_none_away_from_the_hole_nor_if_nothing_is_seen() -> None:
    image = make_sand(200, 160)
    small = np.asarray(Image.fromarray(image).resize((40, 50), Image.Resampling.BOX))
    enlarged = np.asarray(Image.fromarray(small).resize((160, 200), Image.Resampling.BICUBIC))
    hole = np.zeros((50, 40), bool)
    hole[20:30, 15:25] = True
    whole = (slice(0, 200), slice(0, 160))
    detail = find_detail(image, enlarged, small, hole, whole)
    assert detail[80:120, 60:100].std() > 5
    assert not detail[:40].any()
    assert not detail[:, 140:].any()
    part = find_detail(image, enlarged, small, hole, (slice(90, 110), slice(70, 90)))
    np.testing.assert_array_equal(part, detail[90:110, 70:90])
    assert not find_detail(image, enlarged, small, np.ones_like(hole), whole).any()
