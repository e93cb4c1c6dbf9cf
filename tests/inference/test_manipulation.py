from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from tests.inference.test_texture_transfer import photo


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "edits", [{"sleeves": "long"}, {"sleeves": "none"}, {"lower": "skirt"}, {"hair": "long", "neckline": "v"}]
)
def test_only_what_changed_is_painted(model: Predictor, edits: dict[str, str], scale: int) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30), scale=scale)
    result = model.manipulate(person, edits)
    assert result.warnings == ()
    assert result.changed.sum() > 40
    np.testing.assert_array_equal(result.changed, result.parsing != person.parsing)
    border = ndimage.distance_transform_edt(~result.changed)
    away = border > 4 * scale * 128 / model.frame[0]
    np.testing.assert_array_equal(result.image[away], person.image[away])
    assert (result.image[result.changed] != person.image[result.changed]).any()


def test_what_is_new_has_the_colours_of_the_old(model: Predictor) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    result = model.manipulate(person, {"sleeves": "long"})
    new = result.changed & (result.parsing == Label.UPPER)
    assert np.abs(np.median(result.image[new], axis=0) - 30).max() < 60, "not skin"
    skirt = model.manipulate(person, {"lower": "skirt"})
    new = skirt.changed & (skirt.parsing == Label.SKIRT) & (person.parsing == Label.BACKGROUND)
    assert np.abs(np.median(skirt.image[new], axis=0) - (30, 40, 160)).max() < 40, "the trousers' cloth"


def test_what_is_carried_stays_before_new_clothes(model: Predictor) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30), scale=2)
    carried = np.zeros(person.parsing.shape, bool)
    carried[150:190, 112:144] = True  # between the legs and before one of them
    image, parsing = person.photo.copy(), np.where(carried, np.uint8(Label.BACKGROUND), person.parsing)
    image[carried] = (230, 200, 40)
    holding = replace(person, photo=image, parsing=parsing, carried=carried)
    result = model.manipulate(holding, {"lower": "skirt"})
    around = ndimage.binary_dilation(carried, iterations=6) & ~carried
    assert (result.parsing[around] == Label.SKIRT).any()
    np.testing.assert_array_equal(result.parsing[carried], Label.BACKGROUND)
    core = ndimage.binary_erosion(carried, iterations=4)
    np.testing.assert_array_equal(result.image[core], image[core])


def test_background_that_comes_to_light_is_that_of_results(model: Predictor) -> None:
    person = photo(model, Label.SKIRT, (30, 30, 30), scale=2)
    ramp = np.repeat(np.linspace(60, 200, 256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    image = np.where((person.parsing == Label.BACKGROUND)[..., None], ramp, person.photo)
    after = person.parsing.copy()
    after[170:][after[170:] == Label.SKIRT] = Label.BACKGROUND
    result = model.manipulate(replace(person, photo=image), parsing=after)
    bare = ndimage.binary_erosion(result.changed & (result.parsing == Label.BACKGROUND), iterations=2)
    assert bare.sum() > 100
    assert np.abs(result.image[bare].astype(int) - ramp[bare]).mean() < 16


def test_cloth_goes_on_with_its_texture(model: Predictor) -> None:
    pytest.importorskip("patchmatch")
    person = photo(model, Label.SKIRT, (30, 30, 30), scale=4)
    striped = person.photo.copy()
    skirt = person.parsing == Label.SKIRT
    striped[skirt & (np.arange(512) // 6 % 2 == 0)[None, :]] = (250, 250, 250)
    striped[skirt & (np.arange(512) // 6 % 2 == 1)[None, :]] = (20, 20, 90)
    result = model.manipulate(replace(person, photo=striped), {"length": "full"})
    new = ndimage.binary_erosion(result.changed & (result.parsing == Label.SKIRT), iterations=4)
    assert new.sum() > 1000
    assert result.image[new][:, 0].std() > 60, "as sharp as the stripes, not their mean"


def test_a_skirt_out_of_trousers_is_of_their_cloth_without_their_seams(model: Predictor) -> None:
    pytest.importorskip("patchmatch")
    person = photo(model, Label.PANTS, (30, 30, 30), scale=4)
    woven, pants = person.photo.copy(), person.parsing == Label.PANTS
    woven[pants & (np.arange(512) % 4 < 2)[None, :]] = (50, 60, 190)
    seams = pants & (np.arange(512) % 60 < 3)[:, None]
    woven[seams] = (250, 250, 250)
    result = model.manipulate(replace(person, photo=woven), {"lower": "skirt"})
    skirt = ndimage.binary_erosion(result.changed & (result.parsing == Label.SKIRT), iterations=6)
    assert skirt.sum() > 1000
    colors = result.image[skirt].astype(int)
    assert (colors[:, 2] - colors[:, 0] > 60).mean() > 0.97, "blue, and not white"
    inner = skirt & pants & ~ndimage.binary_dilation(seams, iterations=4)
    assert (np.abs(np.diff(result.image[..., 2].astype(int), axis=1)) > 6)[inner[:, 1:]].mean() > 0.2, "woven"


def test_without_patchmatch_it_is_told(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("manipulation", "inpainting", "rendering.background"):
        monkeypatch.setattr(f"pgen.inference.{module}.has_patch_match", lambda: False)
    person = photo(model, Label.PANTS, (30, 30, 30))
    (told,) = model.manipulate(person, {"sleeves": "long"}).warnings
    assert "install pgen[photo]" in told
    assert model.manipulate(person, {"hair": "long"}).warnings == (), "hair is painted anyway"


def test_painted_map(model: Predictor, tmp_path: Path) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    path = model.manipulate(person, {"sleeves": "long"}).save_parsing(tmp_path / "map.png")
    painted = Image.open(path).convert("RGB")
    painted.save(tmp_path / "rgb.png")
    first, second = model.manipulate(person, parsing=path), model.manipulate(person, parsing=tmp_path / "rgb.png")
    np.testing.assert_array_equal(first.image, model.manipulate(person, {"sleeves": "long"}).image)
    np.testing.assert_array_equal(first.image, second.image)
    painted.resize((64, 64), Image.Resampling.NEAREST).save(tmp_path / "small.png")
    with pytest.raises(
        InputError, match=r"small.png has 64x64 pixels \(height x width\), and the photo 128x128; paint"
    ):
        model.manipulate(person, parsing=tmp_path / "small.png")


def test_nothing_to_change_is_told(model: Predictor) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    result = model.manipulate(person, parsing=person.parsing)
    np.testing.assert_array_equal(result.image, person.image)
    assert result.warnings == ("the photo: the new map changes nothing that the photo shows",)


def test_refused(model: Predictor) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    for edits, parsing in (({}, None), ({"hair": "long"}, person.parsing)):
        with pytest.raises(InputError, match="either edits or a parsing map"):
            model.manipulate(person, edits, parsing)
    with pytest.raises(InputError, match="edit 'shoes' is unknown"):
        model.manipulate(person, {"shoes": "red"})
    with pytest.raises(InputError, match="edits are a mapping of names to values"):
        model.manipulate(person, "sleeves=long")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sleeves=None is unknown"):
        model.manipulate(person, {"sleeves": None})  # type: ignore[dict-item]


def test_panels(model: Predictor) -> None:
    result = model.manipulate(photo(model, Label.PANTS, (30, 30, 30)), {"sleeves": "none", "hair": "long"})
    captions = [caption for caption, _ in result.panels()]
    assert captions == ["source: the photo", "its map", "sleeves=none hair=long", "result"]


def large_scene(model: Predictor) -> tuple[Person, np.ndarray]:
    """Someone small in a large photo, worked on as a part of it, and that photo."""
    small = photo(model, Label.PANTS, (30, 30, 30))
    scene = np.random.default_rng(0).integers(0, 255, (400, 600, 3), dtype=np.uint8)
    parsing = np.zeros((400, 600), np.uint8)
    scene[100:228, 300:428], parsing[100:228, 300:428] = small.image, small.parsing
    person = model.person(scene, small.pose + np.array([300, 100]), parsing)
    assert person.crop.size < (300, 300)
    return person, scene


def test_a_part_goes_back_into_the_photo(model: Predictor, tmp_path: Path) -> None:
    person, scene = large_scene(model)
    result = model.manipulate(person, {"sleeves": "long"})
    whole = result.pasted()
    np.testing.assert_array_equal(person.crop.of(whole), result.image)
    untouched = np.ones(scene.shape[:2], bool)
    person.crop.of(untouched)[ndimage.binary_dilation(result.changed, iterations=8)] = False
    np.testing.assert_array_equal(whole[untouched], scene[untouched])
    assert (whole != scene).any()
    path = result.save_parsing(tmp_path / "map.png")
    assert Image.open(path).size == (600, 400)
    np.testing.assert_array_equal(model.manipulate(person, parsing=path).image, result.image)
    np.testing.assert_array_equal(model.manipulate(person, parsing=result.parsing).image, result.image)


def test_far_from_the_person_nothing_can_be_painted(model: Predictor) -> None:
    person, _ = large_scene(model)
    parsing = person.expand_parsing(person.parsing)
    parsing[5:20, 5:20] = Label.SKIRT
    with pytest.raises(InputError, match="labels far from the person, where nothing is painted") as caught:
        model.manipulate(person, parsing=parsing)
    assert caught.value.option == "crop"
