from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from pgen.data.weights import load_weights
from pgen.errors import InputError
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.training.config import Schedule
from pgen.training.loop import train
from tests.training.toy import Toy, quiet, run_in, same_tensors, spoil


@pytest.mark.parametrize("damage", ["truncated", "empty", "other network", "pickle"])
def test_damaged_checkpoints_are_refused(tmp_path: Path, damage: str) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    stage = Toy()
    if damage == "other network":
        stage.networks = nn.ModuleDict({"pose": LightPoseDetector(PoseDetectorConfig(width=3))})
    else:
        spoil(checkpoint, damage)
    with pytest.raises(InputError, match="cannot resume from it") as error:
        train(stage, run_in(tmp_path, resume=True), quiet)
    assert str(checkpoint) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["truncated", "empty", "pickle", "gone"])
def test_the_checkpoint_before_stands_in_for_a_damaged_one(tmp_path: Path, damage: str) -> None:
    finished = train(Toy(), run_in(tmp_path / "whole"), quiet)
    for stop, resume in ((3, False), (5, True)):
        checkpoint = train(Toy(), run_in(tmp_path / "parts", max_steps=stop, resume=resume), quiet)
    spoil(checkpoint, damage)
    warnings: list[str] = []
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", resume=True, warn=warnings.append), quiet)
    assert resumed.asked == 5
    assert same_tensors(result, finished)
    if damage == "gone":  # as after an interruption between two renamings
        assert warnings == []
    else:
        assert len(warnings) == 1
        assert warnings[0].startswith(f"{checkpoint}: cannot resume from it")
        assert warnings[0].endswith("resuming from checkpoint-before.pt, of step 3")


def test_a_damaged_checkpoint_does_not_replace_the_one_before(tmp_path: Path) -> None:
    for stop, resume in ((3, False), (5, True)):
        checkpoint = train(Toy(), run_in(tmp_path, max_steps=stop, resume=resume), quiet)
    before = (tmp_path / "checkpoint-before.pt").read_bytes()
    spoil(checkpoint, "truncated")
    train(Toy(), run_in(tmp_path, max_steps=4, resume=True), quiet)
    assert (tmp_path / "checkpoint-before.pt").read_bytes() == before
    assert torch.load(checkpoint, weights_only=True)["step"] == 4


def test_average(tmp_path: Path) -> None:
    """Exponential, with a decay that grows from 0: the first steps count like a plain mean."""
    stage = Toy(Schedule(steps=6, batch=2, warmup=1, ema=0.75))
    loaded = load_weights(train(stage, run_in(tmp_path), quiet)).pose
    assert loaded is not None
    states = [*stage.history[1:], stage.networks.state_dict()]
    for name, value in loaded.state_dict().items():
        key = f"pose.{name}"
        if not value.is_floating_point():
            assert torch.equal(value, states[-1][key])
            continue
        expected = states[0][key].clone()
        for step, state in enumerate(states):
            decay = min(0.75, step / (step + 1))
            expected = decay * expected + (1 - decay) * state[key]
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=1e-5)
    assert not torch.equal(loaded.state_dict()["to_heatmaps.bias"], states[-1]["pose.to_heatmaps.bias"])
