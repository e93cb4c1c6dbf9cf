from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.annotators.choose import Annotators
from pgen.inference.targets import read_targets
from tests.data.examples import STANDING, example
from tests.inference.test_inputs import OneOfTwo


@pytest.fixture
def annotators(monkeypatch: pytest.MonkeyPatch) -> Annotators:
    found = Annotators()
    monkeypatch.setattr(found, "_pose", OneOfTwo())
    return found


def show_nothing(title: str, total: int) -> AbstractContextManager:  # type: ignore[type-arg]
    return nullcontext(lambda: None)


def test_frames_and_single_poses(tmp_path: Path, annotators: Annotators) -> None:
    for index in range(5):
        Image.fromarray(example(index).image).save(tmp_path / f"{index}.png")
    motion = read_targets([tmp_path], annotators, 3, show_nothing)
    assert (motion.is_motion, len(motion.poses)) == (True, 3)
    assert sum(motion.seconds) == pytest.approx(0.5)
    assert motion.notes == (f"{tmp_path.name}: poses of 3 frames estimated by fake, smoothed",)
    mixed = read_targets(["walk", STANDING, tmp_path, tmp_path / "1.png"], annotators, 3, show_nothing)
    assert (mixed.is_motion, len(mixed.poses), len(mixed.seconds)) == (False, 6, 6)
    assert [mixed.poses[index].name for index in (0, 1, 5)] == ["walk", "the pose", "1.png"]
    np.testing.assert_array_equal(mixed.poses[5].pose, STANDING)
