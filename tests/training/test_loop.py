from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pgen.errors import PgenError
from pgen.training.checkpoint import Checkpoints, TrainingState
from pgen.training.loop import train
from pgen.training.sampling import SampledPhotos
from pgen.training.tasks.base import Judged
from tests.training.toy import SCHEDULE, Toy, quiet, run_in, same_tensors


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stops", [(3,), (1, 2, 7)])
def test_resumed_is_as_if_never_interrupted(tmp_path: Path, precision: str, stops: tuple[int, ...]) -> None:
    whole = Toy()
    finished = train(whole, run_in(tmp_path / "whole", precision=precision), quiet)
    for k, stop in enumerate(stops):
        unfinished = train(Toy(), run_in(tmp_path / "parts", precision=precision, max_steps=stop, resume=k > 0), quiet)
        assert unfinished == tmp_path / "parts" / "checkpoint.pt"
        assert not (tmp_path / "parts" / "weights.safetensors").exists()
    torch.manual_seed(99)  # whatever happened in between
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", precision=precision, resume=True), quiet)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert same_tensors(result, finished)


def test_a_run_in_the_middle_is_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    """Killed two steps after a checkpoint: those are done again."""
    whole = Toy()
    finished = train(whole, run_in(tmp_path / "whole"), quiet)
    train(Toy(), run_in(tmp_path / "parts", max_steps=4), quiet)
    with pytest.raises(PgenError):
        train(Toy(fails_at=2), run_in(tmp_path / "parts", resume=True), quiet)
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", resume=True), quiet)
    assert resumed.asked == 4
    assert same_tensors(result, finished)


def test_other_seeds_go_other_ways(tmp_path: Path) -> None:
    one, other = (train(Toy(), run_in(tmp_path / str(seed), seed=seed), quiet) for seed in (0, 1))
    assert not same_tensors(one, other)


def test_checkpoints_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = Checkpoints.save

    def watched(self: Checkpoints, state: TrainingState) -> None:
        saved.append(state.step)
        save(self, state)

    monkeypatch.setattr(Checkpoints, "save", watched)
    train(Toy(replace(SCHEDULE, checkpoint_seconds=0.0)), run_in(tmp_path / "often"), quiet)
    assert saved == [1, 2, 3, 4, 5, 6, 7, 8]
    saved.clear()
    train(Toy(), run_in(tmp_path / "seldom"), quiet)
    assert saved == [8]


class Interrupted(Toy):
    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        if self.asked == 4:
            signal.raise_signal(signal.SIGINT)
        return super().losses(batch)


def test_ctrl_c_leaves_a_checkpoint_that_resumes_exactly(tmp_path: Path) -> None:
    finished = train(Toy(), run_in(tmp_path / "whole"), quiet)
    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(), run_in(tmp_path / "parts"), quiet)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", resume=True), quiet)
    assert resumed.asked == 3
    assert same_tensors(result, finished)


def test_large_seeds(tmp_path: Path) -> None:
    train(Toy(), run_in(tmp_path, seed=2**63, max_steps=1), quiet)
