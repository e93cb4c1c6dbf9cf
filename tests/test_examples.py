"""The examples of Python in the READMEs run, with small networks and photos whose pose and map are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.annotators.interface import FoundMap, FoundPerson, ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import Rendering, render
from tests.inference.tiny import write_weights

ROOT = Path(__file__).parent.parent


def run_example(page: str) -> dict[str, object]:
    """Run the first block of Python of a page; what it leaves."""
    found = re.search(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    names: dict[str, object] = {}
    exec(compile(found[1], page, "exec"), names)
    return names


KNOWN: dict[bytes, Rendering] = {}  # by the pixels of the file


class KnownPose:
    name = "known poses"

    def __init__(self, weights: str | None) -> None: ...

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        pose = KNOWN[image.tobytes()].pose
        return [FoundPerson(pose, np.isfinite(pose[:, 0]).astype(np.float32))]


class KnownMap:
    name = "known maps"

    def __init__(self, weights: str | None) -> None: ...

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        return [FoundMap(KNOWN[photo.image.tobytes()].parsing) for photo in photos]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three photos that the annotators know, and small networks in the place of the bundled ones."""
    for number, name in enumerate(("me", "target", "other")):
        photo = render(synthetic_person(0, number), synthetic_shot(0, number, 0), (64, 64))
        Image.fromarray(photo.image).save(tmp_path / f"{name}.jpg")
        monkeypatch.setitem(KNOWN, np.asarray(Image.open(tmp_path / f"{name}.jpg")).tobytes(), photo)
    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", f"{__name__}:KnownPose")
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", f"{__name__}:KnownMap")
    weights = write_weights(tmp_path / "tiny.safetensors")
    monkeypatch.setattr("pgen.data.weights.bundled_path", lambda name: weights)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("photos")
def test_the_readme() -> None:
    run_example("README.md")
    assert Image.open("out.png").size == (64, 64)


@pytest.mark.usefixtures("photos")
def test_inference() -> None:
    run_example("pgen/inference/README.md")
    for name in ("out.png", "walk.webp", "arms-up.webp", "dressed.jpg", "edited.png"):
        assert Image.open(name).size == (64, 64)


def test_synthetic() -> None:
    photo = run_example("pgen/synthetic/README.md")["photo"]
    assert isinstance(photo, Rendering)
    assert photo.parsing.shape == (256, 256)
