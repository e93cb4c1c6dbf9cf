from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgen.body.crop import CropBox
from pgen.body.labels import Label
from pgen.inference import large_photos
from pgen.inference.large_photos import put_into_photo, reduce_person
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from tests.data.examples import example

A = example(0)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody in a part of a photo, twice as large as copies may be."""
    height, width = A.parsing.shape
    monkeypatch.setattr(large_photos, "LARGEST", height)
    image, parsing = (array.repeat(2, 0).repeat(2, 1) for array in (A.image, A.parsing))
    photo = np.pad(image, ((10, 0), (6, 0), (0, 0)))
    crop = CropBox(10, 6, 10 + 2 * height, 6 + 2 * width)
    return Person("a.png", photo, crop, (A.pose + 0.5) * 2 - 0.5, parsing, carried=parsing == Label.SKIRT)


def test_copies_show_the_part_in_use(large: Person) -> None:
    small = reduce_person(large)
    assert small.crop.size == A.parsing.shape
    np.testing.assert_allclose(small.pose, A.pose, atol=0.01)
    np.testing.assert_array_equal(small.parsing, A.parsing)
    assert small.carried is not None
    assert small.image.shape == A.image.shape
    assert np.corrcoef(small.image.ravel(), A.image.ravel())[0, 1] > 0.95  # noise, made twice as large and as small
    assert reduce_person(small) is small


def test_what_has_not_changed_is_the_photos_own(large: Person) -> None:
    small = reduce_person(large)
    image, parsing = small.image.copy(), small.parsing.copy()
    image[40:60, 50:70], parsing[40:60, 50:70] = (255, 0, 0), Label.SKIRT
    result, labels, changed = put_into_photo(large, small, image, parsing)
    assert result.shape == large.image.shape
    assert (result[84:116, 104:136] == (255, 0, 0)).all()
    assert (labels[82:118, 102:138] == Label.SKIRT).all()
    away = np.ones(labels.shape, bool)
    away[72:128, 92:148] = False
    np.testing.assert_array_equal(result[away], large.image[away])
    np.testing.assert_array_equal(labels[away], large.parsing[away])
    assert not changed[away].any()


def test_edits_and_transfers_are_as_large_as_the_photo(model: Predictor, large: Person) -> None:
    results = [
        model.manipulate(large, {"sleeves": "long"}),
        model.manipulate(large, parsing=np.where(large.parsing == Label.UPPER, Label.SKIRT, large.parsing)),
        model.transfer_texture(replace(large, name="b.png"), large, "upper"),
    ]
    for result in results:
        assert result.image.shape == large.image.shape
        assert result.parsing.shape == large.crop.size
        assert result.pasted().shape == large.photo.shape
        assert (result.pose == large.pose).all()
    assert (results[1].parsing[large.parsing == Label.UPPER] == Label.SKIRT).mean() > 0.97
