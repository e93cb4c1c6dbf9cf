from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.errors import InputError
from pgen.inference.rendering import background
from pgen.inference.rendering.backdrop import read_backdrop
from pgen.inference.rendering.background import fill_background, fill_from


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


def test_a_folder_may_have_the_name_of_a_color(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "white").mkdir()
    monkeypatch.chdir(tmp_path)
    assert np.asarray(read_backdrop("white")).ravel().tolist() == [255, 255, 255]


@pytest.mark.parametrize("color", ["#ff000080", "#f008", "#ff000000"])
def test_colors_that_are_seen_through_are_refused(color: str) -> None:
    with pytest.raises(InputError, match="seen through") as error:
        read_backdrop(color)
    assert error.value.option == "background"
    assert np.asarray(read_backdrop("#ff0000ff")).ravel().tolist() == [255, 0, 0]


@pytest.mark.skipif(not background.has_patch_match(), reason="pypatchmatch is not installed")
def test_patches_are_matched_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from patchmatch import patch_match

    matching: list[int] = []
    most = 0

    def inpaint(image: np.ndarray, *_: object, **__: object) -> np.ndarray:
        nonlocal most
        matching.append(1)
        most = max(most, len(matching))
        time.sleep(0.02)
        matching.pop()
        return image

    monkeypatch.setattr(patch_match, "inpaint", inpaint)
    image, figure = np.zeros((120, 90, 3), np.uint8), np.zeros((120, 90), bool)
    figure[30:100, 30:60] = True
    with ThreadPoolExecutor(2) as pool:
        front = pool.submit(fill_from, image, figure, ~figure)
        pool.submit(fill_background, image, figure).result()
        front.result()
    assert most == 1
