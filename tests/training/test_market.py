"""Market-1501's shape, 128×64, through all three trainings to a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pgen
from pgen.cli.main import main
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.data.weights import describe, load_weights
from tests.training.people import TINY

SIZE = (128, 64)
SETTINGS = [
    *TINY,
    *(f"{stage}.schedule.steps=2" for stage in ("pose", "semantic", "appearance")),
    "pose.network.kind=light",
    "appearance.network.warped_levels=3",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of pedestrians, as Market-1501 has them."""
    path = tmp_path_factory.mktemp("market")
    with StoreWriter(path / "market.h5", SIZE, source="tests", options={}) as writer:
        for person in range(8):
            for view in range(2):
                split = "train" if person < 6 else "test"
                writer.add(synthetic_example(3, person, view, SIZE, "market", split))
        writer.set_pairs("test", [(12, 13), (15, 14)])
    return path


def test_trained_from_pose_to_end_to_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    def train(command: str, stage: str, *more: str) -> int:
        settings = [part for setting in SETTINGS if setting.startswith(stage) for part in ("--set", setting)]
        given = ["--data", "market.h5", "--preset", "market-128x64", "--recipe", "pgen", *settings, *more]
        return main([command, *given])

    assert train("train-pose", "pose") == 0
    assert train("train-hs", "semantic") == 0
    assert train("train-joint", "appearance", "--variant", "e2e", "--vgg", "bundled") == 0

    path = folder / "runs/joint/weights.safetensors"
    found = describe(path)
    info = found["info"]
    assert (found["frame"], set(found["networks"])) == ([128, 64], {"semantic", "appearance"})
    assert (info["preset"], info["recipe"], info["step"]) == ("market-128x64", "pgen", 2)
    assert (info["config"]["appearance"]["variant"], info["config"]["appearance"]["weights"]["warp_l1"]) == ("e2e", 2)
    before, after = (load_weights(folder / f"runs/{stage}/weights.safetensors").semantic for stage in ("hs", "joint"))
    assert before is not None
    assert after is not None
    assert any(not bool((a == b).all()) for a, b in zip(before.parameters(), after.parameters(), strict=True))

    generator = pgen.load(path, device="cpu")
    assert generator.frame == SIZE
    with Store("market.h5") as store:
        image, parsing, poses = store.image(12), store.parsing(12), np.asarray(store.poses)
    result = generator.generate(generator.person(image, poses[12], parsing), poses[13])
    assert (result.image.shape, result.image.dtype) == ((128, 64, 3), np.uint8)
    assert result.parsing.shape == SIZE
    assert len(np.unique(result.image)) > 20
