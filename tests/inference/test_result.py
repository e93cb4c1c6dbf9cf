from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.labels import PALETTE, Label
from pgen.errors import InputError
from pgen.inference.predictor import Predictor
from pgen.inference.result import Result
from tests.data.examples import STANDING, example
from tests.inference.test_texture_transfer import photo

pytestmark = pytest.mark.usefixtures("no_silhouettes")


@pytest.mark.parametrize(
    ("size", "shown"), [((128, 64), (256, 128)), ((300, 400), (300, 400)), ((640, 480), (512, 384))]
)
def test_panels(model: Predictor, size: tuple[int, int], shown: tuple[int, int]) -> None:
    a = example(0)
    image = np.asarray(Image.fromarray(a.image).resize(size[::-1]))
    labels = np.asarray(Image.fromarray(a.parsing).resize(size[::-1], Image.Resampling.NEAREST))
    pose = STANDING / 128 * size[::-1]
    result = model.generate(model.person(image, pose, labels, crop=False), pose)
    panels = result.panels()
    captions = [caption for caption, _ in panels]
    assert captions == ["source: the photo", "pose: the pose", "parsing map", "result"]
    assert {picture.shape for _, picture in panels} == {(*shown, 3)}
    colours = {tuple(colour) for colour in panels[2][1].reshape(-1, 3).tolist()}
    assert colours <= {tuple(colour) for colour in PALETTE.tolist()}
    assert {max(picture.shape) for _, picture in result.panels(largest=100)} == {100}
    sheet = result.sheet()
    assert sheet.shape[1] > 4 * shown[1]
    assert sheet.dtype == np.uint8


@pytest.fixture(scope="module")
def results(model: Predictor) -> list[Result]:
    """One of each kind."""
    person = photo(model, Label.PANTS, (30, 30, 30))
    return [
        model.generate(person, "walk"),
        model.transfer_texture(person, person),
        model.manipulate(person, {"sleeves": "long"}),
    ]


def test_results_are_plain_data(results: list[Result]) -> None:
    for result in results:
        twin = pickle.loads(pickle.dumps(result))
        assert result == twin
        assert hash(result) == hash(twin)
        assert result != replace(twin, image=twin.image[::-1])
        assert "\n" not in repr(result)
        assert len(repr(result)) < 100
        assert repr(result).startswith(f"{type(result).__name__}('the photo', ")
    assert len({*results}) == 3
    assert results[0] != results[1]


def test_a_notebook_shows_the_picture(results: list[Result]) -> None:
    for result in results:
        shown = Image.open(io.BytesIO(result._repr_png_()))
        assert shown.format == "PNG"
        np.testing.assert_array_equal(np.asarray(shown), result.image)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.JPG", "JPEG"), ("a.jpeg", "JPEG"), ("a.webp", "WEBP")]
)
def test_saved_as_the_suffix_says(results: list[Result], tmp_path: Path, name: str, kind: str) -> None:
    path = results[0].save(tmp_path / name)
    saved = Image.open(path)
    assert (saved.format, saved.size) == (kind, results[0].image.shape[1::-1])
    assert np.abs(np.asarray(saved).astype(int) - results[0].image).mean() < (8 if kind != "PNG" else 1e-9)
    with pytest.raises(InputError, match="exists already"):
        results[0].save(path)
    content = path.read_bytes()
    results[1].save(path, overwrite=True)
    assert path.read_bytes() != content
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a", "a.png.txt"])
def test_other_suffixes_are_refused(results: list[Result], tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="PNG, JPEG or WebP"):
        results[0].save(tmp_path / name)
    assert not list(tmp_path.iterdir())
