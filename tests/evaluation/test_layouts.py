from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.errors import InputError
from pgen.evaluation.layouts import LAYOUTS, choose_layout, find_true_panel, parse_pair, split_panels
from pgen.evaluation.photos import FolderPhotos
from tests.evaluation.folders import PAIRS, photo, spt


def folder(root: Path, *names: str) -> FolderPhotos:
    root.mkdir()
    for name in names:
        Image.fromarray(photo(name)).save(root / f"{name}.png")
    return FolderPhotos(root)


def test_names_that_can_be_cut_in_two_places(tmp_path: Path) -> None:
    photos = folder(tmp_path / "a", "x_y", "z", "x")
    found = parse_pair("x_y_z.png", LAYOUTS["intrinsic-flow"], photos)
    assert found is not None
    assert (found.source, found.target) == ("x_y.png", "z.png")
    both = folder(tmp_path / "b", "x_y", "z", "x", "y_z")
    with pytest.raises(InputError, match=r"x_y_z\.png may belong to (y_z|z)\.png or to (y_z|z)\.png"):
        parse_pair("x_y_z.png", LAYOUTS["intrinsic-flow"], both)


def test_a_source_that_is_no_photo_is_kept_as_it_is_written(tmp_path: Path) -> None:
    photos = folder(tmp_path / "a", "z")
    found = parse_pair("someone___z_vis.png", LAYOUTS["patn"], photos)
    assert found is not None
    assert (found.source, found.target, found.written_source) == (None, "z.png", "someone")
    assert parse_pair("z___someone_vis.png", LAYOUTS["patn"], photos) is None


def test_without_a_fitting_name_it_asks(tmp_path: Path) -> None:
    photos = folder(tmp_path / "a", "z")
    assert choose_layout(None, ["z.png", "q__z.png", "r__z.png"], photos).name == "pgen"
    with pytest.raises(InputError, match="name the layout"):
        choose_layout(None, ["q.png", "r.png"], photos)


def test_panels_and_the_true_one() -> None:
    _, image = spt(*PAIRS[0])
    target = photo(PAIRS[0][1])
    assert [panel.shape for panel in split_panels(image, LAYOUTS["spt"])] == [target.shape] * 3
    assert find_true_panel(image, target, LAYOUTS["spt"]) == 1
    assert find_true_panel(image, photo("another"), LAYOUTS["spt"]) is None
    assert find_true_panel(image, np.zeros((9, 9, 3), np.uint8), LAYOUTS["spt"]) is None
    with pytest.raises(InputError, match="no 3 panels"):
        split_panels(image[:, :-1], LAYOUTS["spt"])
