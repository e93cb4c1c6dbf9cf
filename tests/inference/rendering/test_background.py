from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pgen.errors import InputError
from pgen.inference.rendering import background
from pgen.inference.rendering.backdrop import read_backdrop
from pgen.inference.rendering.background import fill_background


def test_nothing_of_the_figure_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((120, 90, 3), (40, 90, 160), np.uint8)
    figure = np.zeros((120, 90), bool)
    figure[30:100, 30:60] = True
    image[figure] = (255, 0, 0)
    for has_texture in (True, False):
        if not has_texture:
            monkeypatch.setattr(background, "has_patch_match", lambda: False)
        elif not background.has_patch_match():
            continue
        filled = fill_background(image, figure)
        assert np.abs(filled.astype(int) - (40, 90, 160)).max() <= 2
        assert (filled[:, :20] == image[:, :20]).all()


def test_backdrops(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert read_backdrop("transparent") == "transparent"
    assert np.asarray(read_backdrop("#102030")).ravel().tolist() == [16, 32, 48]
    Image.new("RGB", (4, 3), "red").save(tmp_path / "wall.png")
    assert np.shape(read_backdrop(tmp_path / "wall.png")) == (3, 4, 3)
    with pytest.raises(InputError, match="no file and no color"):
        read_backdrop("purplish")
