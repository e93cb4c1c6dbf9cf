from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.synthesis.generator import PersonGenerator
from tests.synthesis.test_texture_transfer import photo


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "edits", [{"sleeves": "long"}, {"sleeves": "none"}, {"lower": "skirt"}, {"hair": "long", "neckline": "v"}]
)
def test_only_what_changed_is_painted(model: PersonGenerator, edits: dict[str, str], scale: int) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30), scale=scale)
    result = person.manipulate(**edits)
    assert result.warnings == ()
    assert result.changed.sum() > 40
    np.testing.assert_array_equal(result.changed, result.parsing != person.parsing)
    border = ndimage.distance_transform_edt(~result.changed)
    away = border > 2 * scale * 128 / model.frame[0] + 1
    np.testing.assert_array_equal(result.image[away], person.image[away])
    assert (result.image[result.changed] != person.image[result.changed]).any()


def test_what_is_new_has_the_colours_of_the_old(model: PersonGenerator) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    result = person.manipulate(sleeves="long")
    new = result.changed & (result.parsing == Label.UPPER)
    assert np.abs(np.median(result.image[new], axis=0) - 30).max() < 60, "not skin"
    skirt = person.manipulate(lower="skirt")
    new = skirt.changed & (skirt.parsing == Label.SKIRT) & (person.parsing == Label.BACKGROUND)
    assert np.abs(np.median(skirt.image[new], axis=0) - (30, 40, 160)).max() < 40, "the trousers' cloth"


def test_painted_map(model: PersonGenerator, tmp_path: Path) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    path = person.manipulate(sleeves="long").save_parsing(tmp_path / "map.png")
    painted = Image.open(path).convert("RGB")
    painted.save(tmp_path / "rgb.png")
    first, second = person.manipulate(path), person.manipulate(tmp_path / "rgb.png")
    np.testing.assert_array_equal(first.image, person.manipulate(sleeves="long").image)
    np.testing.assert_array_equal(first.image, second.image)
    painted.resize((64, 64), Image.Resampling.NEAREST).save(tmp_path / "small.png")
    with pytest.raises(
        InputError, match=r"small.png has 64x64 pixels \(height x width\), and the photo 128x128; paint"
    ):
        person.manipulate(tmp_path / "small.png")


def test_nothing_to_change_is_told(model: PersonGenerator) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    result = person.manipulate(person.parsing)
    np.testing.assert_array_equal(result.image, person.image)
    assert result.warnings == ("the photo: the new map changes nothing that the photo shows",)


def test_refused(model: PersonGenerator) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    for edits in ({}, {"parsing": person.parsing, "hair": "long"}):
        with pytest.raises(InputError, match="either edits or a parsing map"):
            person.manipulate(**edits)
    with pytest.raises(InputError, match="edit 'shoes' is unknown"):
        person.manipulate(shoes="red")


def test_panels(model: PersonGenerator) -> None:
    result = photo(model, Label.PANTS, (30, 30, 30)).manipulate(sleeves="none", hair="long")
    captions = [caption for caption, _ in result.panels()]
    assert captions == ["source: the photo", "its map", "sleeves=none hair=long", "result"]
