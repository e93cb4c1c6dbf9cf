"""An annotator of one's own is one file and one entry in its registry."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from tests.data.examples import STANDING, example

ANNOTATORS = """
import numpy as np
from pgen.data.annotators.interface import FoundMap, FoundPerson


class MyPoses:
    name = "my poses"

    def __init__(self, weights):
        self.pose = np.load(weights)

    def people(self, image):
        return [FoundPerson(self.pose, np.ones(18, np.float32))]


class MyMaps:
    name = "my maps"

    def __init__(self, weights):
        assert weights is None

    def parse(self, photos):
        return [FoundMap(np.full(photo.image.shape[:2], 3, np.uint8)) for photo in photos]
"""


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_annotators.py").write_text(ANNOTATORS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(POSE_ANNOTATORS, "mine", "my_annotators:MyPoses")
    monkeypatch.setitem(PARSING_ANNOTATORS, "mine", "my_annotators:MyMaps")
    yield tmp_path
    sys.modules.pop("my_annotators", None)


def test_they_are_chosen_by_name(registered: Path) -> None:
    image, pose = example(0).image, STANDING.astype(np.float32)
    np.save(registered / "w.npy", pose)
    annotators = Annotators(f"mine:{registered / 'w.npy'}", "mine")
    found = annotators.pose(image, "a.png")
    np.testing.assert_array_equal(found.person.pose, pose)
    assert found.notes == ("a.png: pose estimated by my poses",)
    assert (annotators.parsing(ParsingRequest(image, pose)).labels == 3).all()
