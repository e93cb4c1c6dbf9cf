"""What pgen/data/README.md says about adding an annotator, done."""

from __future__ import annotations

import numpy as np
import pytest

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from tests.data.examples import STANDING, example
from tests.howto import add_entry, add_module, list_blocks, read_howto

PARSER = """# pgen/data/annotators/mine.py
import numpy as np
from pgen.data.annotators.interface import FoundMap


class MyMaps:
    name = "my maps"

    def __init__(self, weights):
        self.label = int(weights)

    def parse(self, photos):
        return [FoundMap(np.full(photo.image.shape[:2], self.label, np.uint8)) for photo in photos]
"""


def test_poses(monkeypatch: pytest.MonkeyPatch) -> None:
    source, entry = list_blocks(read_howto("data", "How to add an annotator"))
    name = add_entry(entry, POSE_ANNOTATORS, add_module(source, monkeypatch), monkeypatch)
    image = np.zeros((200, 150, 3), np.uint8)
    found = Annotators(name).pose(image, "a.png")
    assert found.notes == ("a.png: pose estimated by upright",)
    low, high = np.nanmin(found.person.pose, 0), np.nanmax(found.person.pose, 0)
    assert high[1] - low[1] == pytest.approx(160)
    np.testing.assert_allclose((low + high) / 2, (75, 100), atol=0.01)


def test_maps_with_weights_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = '"mine": "pgen.data.annotators.mine:MyMaps",'
    add_entry(entry, PARSING_ANNOTATORS, add_module(PARSER, monkeypatch), monkeypatch)
    request = ParsingRequest(example(0).image, STANDING.astype(np.float32))
    assert (Annotators(parsing="mine:3").parsing(request).labels == 3).all()
