from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pgen.training.run import read_metrics
from tests.training.people import write_people


def tensors(values: object) -> list[torch.Tensor]:
    """All tensors in nested dictionaries, in order."""
    if isinstance(values, dict):
        return [tensor for value in values.values() for tensor in tensors(value)]
    return [values] if isinstance(values, torch.Tensor) else []


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_at_random_moments_and_resumed_is_as_if_never_killed(tmp_path: Path, kills: int) -> None:
    """Bit by bit: weights, averages, what the optimisers know, and the rows of the metrics."""
    store = write_people(tmp_path / "people.h5")
    command = [sys.executable, "-m", "tests.training.killed", str(store), str(tmp_path), str(kills)]
    subprocess.run(command, check=True, timeout=600)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for name in ("weights", "best", "last"):
        one, other = (load_file(folder / f"{name}.safetensors") for folder in (whole, killed))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    states = [tensors(torch.load(folder / "checkpoint.pt", weights_only=True)) for folder in (whole, killed)]
    assert len(states[0]) > 20
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))
    rows = [read_metrics(folder / "metrics.jsonl") for folder in (whole, killed)]
    for one, other in zip(*rows, strict=True):
        assert {**one, "samples_per_second": 0} == {**other, "samples_per_second": 0}
    assert not [path for path in killed.iterdir() if ".part" in path.name]
