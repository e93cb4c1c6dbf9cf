from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.body.labels import Label
from pgen.body.transfer import Transfer
from pgen.errors import InputError
from pgen.inference.inpainting import enlarge_map
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor, load
from tests.body.layouts import dressed
from tests.data.examples import STANDING
from tests.inference.tiny import write_weights

COLOURS = {Label.UPPER: (200, 40, 40), Label.PANTS: (30, 40, 160), Label.SKIRT: (40, 140, 60), Label.HAIR: (90, 60, 30)}


def photo(model: Predictor, lower: Label, upper: tuple[int, int, int], sleeve: float = 0.5, scale: int = 1) -> Person:
    """Someone standing in flat colours on white, ``scale`` times as large."""
    parsing = dressed(STANDING, sleeve, lower, 1.5)
    image = np.full((*parsing.shape, 3), 235, np.uint8)
    image[np.isin(parsing, (1, 6, 7, 8, 9))] = (220, 180, 150)
    for label, colour in {**COLOURS, Label.UPPER: upper}.items():
        image[parsing == label] = colour
    size = (128 * scale, 128 * scale)
    parsing = np.asarray(Image.fromarray(parsing).resize(size, Image.Resampling.NEAREST))
    image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    return model.person(image, (STANDING + 0.5) * scale - 0.5, parsing)


@pytest.mark.parametrize("regions", [["upper"], ["lower", "hair"], ["all"]])
def test_all_else_stays_exactly(model: Predictor, regions: list[str]) -> None:
    person, clothes = photo(model, Label.SKIRT, (30, 30, 30), scale=2), photo(model, Label.PANTS, (240, 240, 40))
    result = model.transfer_texture(clothes, person, regions)
    assert result.image.shape == (256, 256, 3)
    labels = {"upper": [Label.UPPER], "all": [*COLOURS]}.get(regions[0], [Label.SKIRT, Label.HAIR])
    region = np.isin(person.parsing, labels)
    np.testing.assert_array_equal(result.image[~region], person.image[~region])
    changed = (result.image != person.image).any(axis=2)
    for label in labels:
        if (person.parsing == label).any():
            assert changed[person.parsing == label].mean() > 0.5
    np.testing.assert_array_equal(result.parsing, person.parsing)


def test_lower_is_what_each_wears(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    person, clothes = photo(model, Label.SKIRT, (30, 30, 30)), photo(model, Label.PANTS, (240, 240, 40))
    paint = model.networks.paint
    seen = []

    def watch(source, transfer, labels, guide):  # type: ignore[no-untyped-def]
        seen.append((source, labels))
        return paint(source, transfer, labels, guide)

    monkeypatch.setattr(model.networks, "paint", watch)
    model.transfer_texture(clothes, person, ["lower"])
    source, labels = seen[0]
    assert (source.labels == Label.SKIRT).any(), "the pants are shown to H_A as a skirt"
    assert not (source.labels == Label.PANTS).any()
    assert (labels == model.networks.frame_person(person).batch.labels).all()
    assert (clothes.parsing == Label.PANTS).any(), "the clothes' own map is not touched"


def test_a_region_by_its_name(model: Predictor) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    alone, listed = (model.transfer_texture(person, person, regions) for regions in ("hair", ["hair"]))
    assert alone == listed


def test_the_paste_is_computed_once(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    person = photo(model, Label.PANTS, (30, 30, 30))
    paste, calls = Transfer.paste, []
    monkeypatch.setattr(Transfer, "paste", lambda *given: (calls.append(given[0].size), paste(*given))[1])
    model.transfer_texture(person, person)
    assert calls.count(model.frame) == 1


def test_shape(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    person, clothes = photo(model, Label.PANTS, (30, 30, 30), 1.9), photo(model, Label.PANTS, (240, 240, 40), 0.4)
    of_clothes = model.networks.frame_person(clothes).batch.labels
    monkeypatch.setattr(model.networks, "predict_maps", lambda source, transfer: of_clothes)
    result = model.transfer_texture(clothes, person, ["upper"], shape=True)
    arms = np.isin(result.parsing, (Label.L_ARM, Label.R_ARM)) & (person.parsing == Label.UPPER)
    assert arms.sum() > 60, "sleeves are shorter"
    assert (result.image[arms] != person.image[arms]).any(axis=1).mean() > 0.9
    legs = slice(80, None)
    np.testing.assert_array_equal(result.image[legs], person.image[legs])


def test_refused(model: Predictor, tmp_path: Path) -> None:
    person, clothes = photo(model, Label.SKIRT, (30, 30, 30)), photo(model, Label.PANTS, (240, 240, 40))
    with pytest.raises(InputError, match="region 'shoes' is unknown; choose one of upper, pants"):
        model.transfer_texture(clothes, person, ["shoes"])
    with pytest.raises(InputError, match="region 'upper,hair' is unknown"):
        model.transfer_texture(clothes, person, "upper,hair")
    with pytest.raises(InputError, match="no region is named"):
        model.transfer_texture(clothes, person, [])
    with pytest.raises(InputError, match="shows no pants; choose lower"):
        model.transfer_texture(clothes, person, ["pants"])
    lone = load(write_weights(tmp_path / "ha.safetensors", semantic=False), "cpu")
    one = photo(lone, Label.PANTS, (30, 30, 30))
    assert lone.transfer_texture(one, one, ["upper"]).target == "clothes of the photo"
    with pytest.raises(InputError, match="H_S"):
        lone.transfer_texture(one, one, ["upper"], shape=True)


def test_panels(model: Predictor) -> None:
    person = photo(model, Label.SKIRT, (30, 30, 30))
    captions = [caption for caption, _ in model.transfer_texture(person, person).panels()]
    assert captions == ["clothes: the photo", "person: the photo", "parsing map", "result"]


def test_a_part_goes_back_into_the_photo(model: Predictor) -> None:
    clothes, small = photo(model, Label.PANTS, (240, 240, 40)), photo(model, Label.SKIRT, (30, 30, 30))
    scene, parsing = np.full((400, 600, 3), 90, np.uint8), np.zeros((400, 600), np.uint8)
    scene[100:228, 300:428], parsing[100:228, 300:428] = small.image, small.parsing
    person = model.person(scene, small.pose + np.array([300, 100]), parsing)
    whole = model.transfer_texture(clothes, person, ["upper"]).pasted()
    np.testing.assert_array_equal(whole[parsing != Label.UPPER], scene[parsing != Label.UPPER])
    assert (whole != scene)[parsing == Label.UPPER].any(axis=1).mean() > 0.5


def test_nothing_of_a_wider_garment_is_left_beside_the_new_shape(model: Predictor) -> None:
    person = photo(model, Label.SKIRT, (30, 30, 30), scale=4)
    framed = model.networks.frame_reduced(person)
    narrow = framed.parsing.copy()
    skirt = np.argwhere(narrow == Label.SKIRT)
    wide = (narrow == Label.SKIRT) & (np.abs(np.arange(narrow.shape[1]) - skirt[:, 1].mean()) > 4)[None]
    narrow[wide] = Label.BACKGROUND
    enlarged = enlarge_map(framed, narrow)
    kept = (narrow == Label.SKIRT).repeat(8, 0).repeat(8, 1)
    specks = (enlarged == Label.SKIRT) & ~ndimage.binary_dilation(kept, iterations=16)
    assert specks.mean() < 1e-4, "none along the old outline"
    far = ndimage.distance_transform_edt(person.parsing != Label.SKIRT) > 0
    np.testing.assert_array_equal(enlarged[far], person.parsing[far])


def test_what_is_carried_stays_before_another_shape(model: Predictor) -> None:
    person, clothes = photo(model, Label.SKIRT, (30, 30, 30), scale=2), photo(model, Label.PANTS, (240, 240, 40))
    carried = np.zeros(person.parsing.shape, bool)
    carried[140:190, 100:150] = True
    holding = replace(person, parsing=np.where(carried, np.uint8(Label.BACKGROUND), person.parsing), carried=carried)
    result = model.transfer_texture(clothes, holding, "lower", shape=True)
    np.testing.assert_array_equal(result.parsing[carried], Label.BACKGROUND)
    core = ndimage.binary_erosion(carried, iterations=4)
    np.testing.assert_array_equal(result.image[core], holding.image[core])
