"""People who are cut out, and photos that are transparent elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.body.labels import Label
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from pgen.inference.rendering.framing import extend_person
from pgen.inference.result import Result
from tests.data.examples import STANDING, example

A = example(0)


def cut(alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([A.image, alpha.astype(np.uint8)]))


def is_clear_around(result: Result) -> bool:
    away = ndimage.binary_erosion(result.parsing == 0, iterations=3)
    return result.alpha is not None and bool(away.any() and (result.alpha[away] == 0).all())


@pytest.fixture
def person(model: Predictor) -> Person:
    """Cut out, half transparent at one row."""
    alpha = np.where(A.parsing == 0, 0, 255)
    alpha[60, alpha[60] > 0] = 100
    return model.person(cut(alpha), A.pose, A.parsing, crop=False)


def test_cut_out_people_stay_cut_out(model: Predictor, person: Person, tmp_path: Path) -> None:
    assert person.is_cut_out
    result = model.generate(person, STANDING + 4, retarget="none")
    assert is_clear_around(result)
    assert result.alpha is not None
    assert (result.alpha == 255).any()
    assert (result.before_white()[result.alpha == 0] == 255).all()
    assert Image.open(result.save(tmp_path / "a.webp")).mode == "RGBA"
    whole = result.pasted()
    assert whole.shape == (*person.photo.shape[:2], 4)
    assert (whole[..., 3] == result.alpha).all()


@pytest.mark.parametrize("background", ["fill", "#ff0000"])
def test_a_background_can_be_asked_for(model: Predictor, person: Person, background: str) -> None:
    assert model.generate(person, STANDING, retarget="none", background=background, shadow=False).alpha is None


def test_an_extended_frame_is_transparent(model: Predictor, person: Person) -> None:
    pose = STANDING + np.array([40, 0])
    result = model.generate(person, pose, retarget="none", frame_mode="extend")
    assert result.image.shape[1] > person.image.shape[1]
    assert is_clear_around(result)
    assert result.pasted().shape[1] == result.image.shape[1]


def test_what_is_transparent_beside_a_background_stays(model: Predictor) -> None:
    alpha = np.full(A.parsing.shape, 255)
    alpha[:8, :8] = 0
    person = model.person(cut(alpha), A.pose, A.parsing, crop=False)
    assert not person.is_cut_out
    result = model.generate(person, STANDING, retarget="none")
    assert result.alpha is not None
    assert (result.alpha[8:, 8:] == 255).all()
    assert (result.alpha[:8, :8] < 255).any()


def test_half_transparent_photos_become_no_lighter(model: Predictor) -> None:
    alpha = np.where(A.parsing == 0, 150, 255)
    person = model.person(cut(alpha), A.pose, A.parsing, crop=False)
    assert not person.is_cut_out
    result = model.generate(person, STANDING, retarget="none", shadow=False)
    assert person.rgba is not None
    away = ndimage.binary_erosion((A.parsing == 0) & (result.parsing == 0), iterations=8)
    assert away.any()
    assert np.abs(result.before_white()[away].astype(int) - person.photo[away]).max() <= 1
    assert np.abs(result.pasted()[away].astype(int) - person.rgba[away]).max() <= 1


def test_an_extended_frame_is_no_lighter_than_a_half_transparent_photo(model: Predictor) -> None:
    plain = np.dstack([np.full_like(A.image, 60), np.where(A.parsing == 0, 150, 255).astype(np.uint8)])
    person = model.person(plain, A.pose, A.parsing, crop=False)
    extended = extend_person(person, (0, 0, 20, 0))
    assert extended.rgba is not None
    assert np.abs(extended.rgba[:, -8:].astype(int) - (60, 60, 60, 150)).max() <= 1


def test_white_that_is_painted_where_nothing_was_seen_is_white(model: Predictor, person: Person) -> None:
    assert person.rgba is not None
    hidden = person.rgba.copy()
    hidden[hidden[..., 3] == 0] = 0
    person = replace(person, rgba=hidden)
    after = A.parsing.copy()
    after[40:50, 40:50] = Label.R_ARM
    result = model.manipulate(person, parsing=after)
    image = result.image.copy()
    image[40:50, 40:50] = 255
    whole = replace(result, image=image).pasted()
    assert (whole[40:50, 40:50][person.rgba[40:50, 40:50, 3] == 0] == 255).all()


def test_edits_keep_every_other_pixel(model: Predictor, person: Person) -> None:
    after = A.parsing.copy()
    after[55:65] = 0  # a shorter top
    after[40:50, 40:50] = Label.R_ARM  # and an arm beside it
    result = model.manipulate(person, parsing=after)
    whole = result.pasted()
    assert whole.shape[2] == 4
    assert person.rgba is not None
    assert (whole[:25] == person.rgba[:25]).all()
    assert (whole[40:50, 40:50, 3] == 255).all()
    assert (whole[62, :, 3] == 0).all()
    laid = Image.alpha_composite(Image.new("RGBA", whole.shape[1::-1], "white"), Image.fromarray(whole))
    shown = np.asarray(laid)[..., :3].astype(int)[whole[..., 3] > 0]
    assert np.abs(shown - result.image[whole[..., 3] > 0]).max() <= 2
    opaque = replace(result, person=replace(person, rgba=None))
    assert (opaque.pasted() == result.image).all()
