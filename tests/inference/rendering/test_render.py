"""What users see of the renderer, with small networks that have learnt nothing."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.render import Renderer
from pgen.inference.rendering.settings import FrameMode
from tests.data.examples import STANDING, example

A = example(0)


@pytest.fixture
def person(model: Predictor) -> Person:
    return model.person(A.image, A.pose, A.parsing, crop=False)


def generate(model: Predictor, person: Person, **wishes: Any) -> Any:
    return model.generate(person, STANDING, retarget="none", **wishes)


def test_results_have_the_photos_own_size_or_the_one_asked_for(model: Predictor, person: Person) -> None:
    result = generate(model, person)
    assert result.image.shape == person.image.shape
    small = generate(model, person, max_size=64)
    assert any("64x64 pixels of the photo's 128x128" in line for line in small.warnings)
    assert small.image.shape == (64, 64, 3)
    assert small.parsing.shape == (64, 64)
    assert small.pasted().shape == person.photo.shape


def test_a_kept_face_is_the_photos_own(model: Predictor, person: Person) -> None:
    result = generate(model, person, head="keep")
    from scipy import ndimage

    face = ndimage.binary_erosion((result.parsing == Label.FACE) & (person.parsing == Label.FACE), iterations=3)
    assert face.any()
    offset = np.abs(result.image[face].astype(int) - person.image[face]).mean()
    assert offset < 12  # moved by less than a pixel, with the neck


def test_backgrounds(model: Predictor, person: Person) -> None:
    transparent = generate(model, person, background="transparent")
    assert transparent.alpha is not None
    assert (transparent.alpha[transparent.parsing == 0] < 255).all()
    red = generate(model, person, background="#ff0000", shadow=False)
    away = transparent.alpha == 0
    assert (red.image[away] == (255, 0, 0)).all()


@pytest.mark.parametrize("max_size", [2048, 64])
def test_pasted_results_bring_nothing_back_that_was_taken_out(model: Predictor, person: Person, max_size: int) -> None:
    thing, photo, row = np.zeros(person.parsing.shape, bool), person.photo.copy(), 45
    left = int(np.flatnonzero(person.parsing[row])[0])
    thing[row - 15 : row + 15, left - 26 : left] = True
    thing &= person.parsing == 0
    photo[thing] = (255, 0, 0)
    carried = thing.copy()
    carried[row - 10 : row + 10, left - 20 : left - 4] = False  # maps show a part of a bag
    result = generate(model, replace(person, photo=photo, carried=carried), max_size=max_size)
    shown = np.asarray(Image.fromarray(result.image).resize(person.crop.size[::-1], Image.Resampling.LANCZOS))
    assert (result.pasted()[thing] == shown[thing]).all()


def test_shadows_are_pasted_too(model: Predictor, person: Person) -> None:
    result = generate(model, person)
    assert (result.pasted() == result.image).all()


@pytest.mark.parametrize("background", ["red", np.zeros((4, 4, 3), np.uint8)], ids=["color", "picture"])
def test_results_before_another_background_are_not_pasted(
    model: Predictor, person: Person, background: Any, tmp_path: Path
) -> None:
    result = generate(model, person, background=background)
    for ask in (
        result.pasted,
        lambda: result.before_white(paste=True),
        lambda: result.save(tmp_path / "a.png", paste=True),
    ):
        with pytest.raises(InputError, match="has the photo's background") as error:
            ask()
        assert error.value.option == "background"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(64, 128), (300, 100), (1, 40_000)])
def test_a_picture_behind_covers_all_and_shows_its_middle(
    model: Predictor, person: Person, shape: tuple[int, int]
) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    picture[shape[0] // 2 :, :, 0] = 255
    picture[:, shape[1] // 2 :, 1] = 255
    result = generate(model, person, background=picture, shadow=False)
    height, width = result.image.shape[:2]
    result = replace(result, image=(result.image > 127) * np.uint8(255))  # Lanczos rings
    assert result.image[4, 4].tolist() == [255 * (shape[0] == 1), 0, 0]  # one row is all of the lower half
    assert result.image[height - 5, 4].tolist() == [255, 0, 0]
    assert result.image[height - 5, width - 5].tolist() == [255, 255, 0]


def test_results_in_a_given_map_are_cut_and_tell_it(model: Predictor, person: Person) -> None:
    low = STANDING + np.array([0, 60], np.float32)
    result = model.generate(person, low, A.parsing, retarget="none")
    assert any("lie outside of the result" in warning for warning in result.warnings)
    with pytest.raises(InputError, match="how large the result is") as error:
        model.generate(person, STANDING, A.parsing, frame_mode="extend")
    assert error.value.option == "frame_mode"


@pytest.mark.parametrize("aside", [0, 40])
def test_a_background_is_filled_once_for_results_in_one_frame(
    model: Predictor, person: Person, aside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled: list[int] = []
    monkeypatch.setattr(Canvas, "_fill", lambda canvas, _: filled.append(canvas.size[1]) or canvas.image)
    monkeypatch.setattr(Renderer, "_find_silhouette", lambda _, somebody: somebody.parsing > 0)

    def find_width(frame_mode: FrameMode, offset: int) -> int:  # the result is let go
        pose = STANDING + np.array([offset, 0], np.float32)
        return int(model.generate(person, pose, retarget="none", frame_mode=frame_mode).image.shape[1])

    person = replace(person, name=f"aside: {aside}")
    width = find_width("extend" if aside else "keep", aside)
    assert (width > person.image.shape[1]) == bool(aside)
    assert [find_width("extend", aside) for _ in range(2)] == [width, width]
    assert filled == [width]
    if aside:
        assert find_width("extend", aside + 20) == width + 20
        assert filled == [width, width + 20]


@pytest.mark.parametrize("wish", [{"head": "up"}, {"frame_mode": "grow"}, {"max_size": 3}, {"background": "purplish"}])
def test_unknown_wishes(model: Predictor, person: Person, wish: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        generate(model, person, **wish)
    assert error.value.option == next(iter(wish))


def test_the_networks_own_picture(model: Predictor, person: Person) -> None:
    result = generate(model, person, resolution="network")
    assert result.image.shape == person.image.shape
    assert result.alpha is None


@pytest.mark.parametrize("hides_legs", [False, True])
def test_nobody_is_kept_longer_than_they_are_needed(model: Predictor, person: Person, hides_legs: bool) -> None:
    pose, parsing = person.pose.copy(), person.parsing.copy()
    if hides_legs:
        pose[[9, 10, 12, 13]] = np.nan
        parsing[parsing.shape[0] // 2 :, parsing.shape[1] // 4 : -parsing.shape[1] // 4] = Label.SKIRT
    somebody = replace(person, name=f"legs hidden: {hides_legs}", pose=pose, parsing=parsing)
    generate(model, somebody)
    gone = weakref.ref(somebody)
    del somebody
    gc.collect()
    assert gone() is None
