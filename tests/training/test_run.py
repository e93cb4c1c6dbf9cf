from __future__ import annotations

import json
import sys
from dataclasses import replace
from math import nan
from pathlib import Path
from types import ModuleType

import pytest
from torch import nn

from pgen.data.weights import describe, load_weights
from pgen.errors import InputError, PgenError
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.training.config import Schedule
from pgen.training.loop import train
from pgen.training.resuming import write_run
from pgen.training.run import RunConfig, RunLog, read_metrics
from tests.training.toy import SCHEDULE, Toy, quiet, run_in, same_tensors


def test_finished_weights_can_be_loaded(tmp_path: Path) -> None:
    path = train(Toy(), run_in(tmp_path / "runs" / "toy"), quiet)
    assert path == tmp_path / "runs" / "toy" / "weights.safetensors"
    loaded = load_weights(path)
    assert (loaded.frame, loaded.info) == ((16, 16), {"preset": "toy", "step": 8, "scores": {"score": 0.5}})
    assert loaded.pose is not None
    assert {entry.name for entry in path.parent.iterdir()} - {"tensorboard"} == {
        *(f"{name}.safetensors" for name in ("weights", "last", "best")),
        *("checkpoint.pt", "metrics.jsonl", "curves.png"),
    }


def test_an_unfinished_run_is_not_started_over(tmp_path: Path) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    before = checkpoint.read_bytes()
    with pytest.raises(InputError, match="unfinished run: resume it, or choose another folder"):
        train(Toy(), run_in(tmp_path), quiet)
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "samples.png", "curves.png"])
def test_files_of_others_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"my": "own"}')
    with pytest.raises(InputError, match=f"holds a {name} that no training wrote") as error:
        train(Toy(), run_in(tmp_path), quiet)
    assert error.value.option == "out"
    assert (tmp_path / name).read_text() == '{"my": "own"}'


def test_a_run_that_was_stopped_before_it_saved_is_started_over(tmp_path: Path) -> None:
    write_run(tmp_path, {"pgen": "1.0"})
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    assert train(Toy(), run_in(tmp_path), quiet).exists()


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    finished = train(Toy(), run_in(tmp_path), quiet)
    before = finished.read_bytes()
    with pytest.raises(InputError, match="holds a finished run"):
        train(Toy(), run_in(tmp_path), quiet)
    stage = Toy()
    assert train(stage, run_in(tmp_path, resume=True), quiet) == finished
    assert stage.asked == 0
    assert finished.read_bytes() == before


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    train(Toy(), run_in(tmp_path), quiet)
    stage = Toy(replace(SCHEDULE, steps=10))
    weights = train(stage, run_in(tmp_path, resume=True), quiet)
    assert stage.asked == 2
    assert describe(weights)["info"]["step"] == 10


def test_frozen_companions_are_saved_with_the_weights(tmp_path: Path) -> None:
    stage = Toy()
    stage.frozen_networks = {"semantic": SemanticGenerator(SemanticConfig(widths=(2, 2, 2)))}
    assert load_weights(train(stage, run_in(tmp_path), quiet)).semantic is not None


def test_metrics_and_reports(tmp_path: Path) -> None:
    told: list[tuple[int, dict[str, float]]] = []
    steps: list[int] = []
    stage = Toy(replace(SCHEDULE, log_every=3, validate_every=4))

    def report(step: int, values: dict[str, float]) -> None:
        steps.append(step)
        if values:
            told.append((step, values))

    train(stage, run_in(tmp_path), report)
    assert [step for step, before in zip(steps[1:], steps, strict=False) if step != before] == [*range(2, 9)]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [step for step, _ in told] == [3, 4, 6, 8, 8]
    assert lines[0].keys() == {"step", "fit", "fool", "discriminator", "samples_per_second"}
    assert lines[1] == {"step": 4, "score": 0.5}
    assert stage.validated == 2


def test_losses_are_means_since_the_row_before(tmp_path: Path) -> None:
    rows = {}
    for log in (1, 4):
        train(Toy(replace(SCHEDULE, log_every=log)), run_in(tmp_path / str(log)), quiet)
        rows[log] = [row for row in read_metrics(tmp_path / str(log) / "metrics.jsonl") if "fit" in row]
    assert [row["step"] for row in rows[4]] == [4, 8]
    for row, chunk in zip(rows[4], (rows[1][:4], rows[1][4:]), strict=True):
        assert row["fit"] == pytest.approx(sum(one["fit"] for one in chunk) / 4, abs=1e-5)


def test_rows_beyond_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    whole = Toy(replace(SCHEDULE, log_every=1))
    train(whole, run_in(tmp_path / "whole"), quiet)
    train(Toy(whole.schedule), run_in(tmp_path / "parts", max_steps=3), quiet)
    with pytest.raises(PgenError):
        train(Toy(whole.schedule, fails_at=2), run_in(tmp_path / "parts", resume=True), quiet)
    path = tmp_path / "parts" / "metrics.jsonl"
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3, 4, 5]
    path.write_text(path.read_text() + '{"step": 6, "fi')
    train(Toy(whole.schedule), run_in(tmp_path / "parts", resume=True), quiet)
    found = read_metrics(path)
    assert [row["step"] for row in found] == [*range(1, 9), 8]
    expected = read_metrics(tmp_path / "whole" / "metrics.jsonl")
    for one, other in zip(found, expected, strict=True):
        assert {**one, "samples_per_second": 0} == {**other, "samples_per_second": 0}
    assert len(path.read_text().splitlines()) == 9


class Scored(Toy):
    def __init__(self, scores: list[float]) -> None:
        super().__init__(Schedule(steps=8, batch=2, validate_every=2, checkpoint_seconds=0))
        self.scores = scores

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        return {"score": self.scores.pop(0)}


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    train(Scored([0.2, 0.5]), run_in(tmp_path, max_steps=5), quiet)
    assert describe(tmp_path / "best.safetensors")["info"] == {"preset": "toy", "step": 4, "scores": {"score": 0.5}}
    train(Scored([0.4, nan]), run_in(tmp_path, resume=True), quiet)
    assert describe(tmp_path / "best.safetensors")["info"]["step"] == 4
    assert describe(tmp_path / "last.safetensors")["info"]["step"] == 8
    assert same_tensors(tmp_path / "last.safetensors", tmp_path / "weights.safetensors")
    assert not same_tensors(tmp_path / "best.safetensors", tmp_path / "weights.safetensors")


def test_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[object, ...]] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int | None) -> None:
            written.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, step))

        def add_image(self, name: str, picture: object, step: int, dataformats: str) -> None:
            written.append((name, step))

        def close(self) -> None:
            written.append(("closed",))

    board = ModuleType("tensorboard")
    board.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    train(Toy(), run_in(tmp_path, resume=True), quiet)
    place = str(tmp_path / "tensorboard")
    losses = ("fit", "fool", "discriminator", "samples_per_second")
    assert written == [
        *((place, None), *((name, 3) for name in losses), ("closed",)),
        *((place, 4), *((name, 8) for name in losses), ("score", 8), ("curves", 8), ("closed",)),
    ]


def test_what_a_killed_process_was_writing_goes(tmp_path: Path) -> None:
    names = (
        "config.json",
        "metrics.jsonl",
        "checkpoint.pt",
        "samples.png",
        "curves.png",
        "last.safetensors",
        "weights.safetensors",
    )
    left = [tmp_path / f".{Path(name).stem}.0123abcd.part{Path(name).suffix}" for name in names]
    for path in (*left, tmp_path / ".others.0123abcd.part.png"):
        path.write_bytes(b"half of it")
    RunLog(RunConfig(tmp_path, {}), 0, quiet).close()
    assert sorted(path.name for path in tmp_path.glob(".*")) == [".others.0123abcd.part.png"]
