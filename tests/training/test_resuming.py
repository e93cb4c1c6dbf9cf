"""A run goes on as it was, and what is not as it was is told."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from pgen.errors import InputError
from pgen.training.build import train
from pgen.training.config import Preset, load_preset
from pgen.training.resuming import (
    describe_stores,
    identify_weights,
    is_same_run,
    read_run,
    restore_config,
    restore_data,
    restore_option,
    restore_threads,
    restore_weights,
    warn_of_other_data,
    write_run,
)
from tests.data.examples import write_store


def read_own(preset: Preset) -> dict:
    return json.loads(json.dumps({"config": asdict(preset)}))


def test_a_run_keeps_its_own_configuration() -> None:
    told: list[str] = []
    own = load_preset("synthetic-64", ["pose.schedule.steps=7", "semantic.back_translation_prob=0.25"], "pgen")
    assert restore_config(read_own(own), [], told.append, Path("run")) == own
    assert told == []
    changed = restore_config(read_own(own), ["pose.schedule.steps=9"], told.append, Path("run"))
    assert changed is not None
    assert (changed.pose.schedule.steps, changed.semantic) == (9, own.semantic)
    assert told == ["resuming with config.pose.schedule.steps = 9 (it was 7)"]


def test_settings_of_before_are_left_aside_and_wrong_ones_refused() -> None:
    own = read_own(load_preset("synthetic-64", [], "paper"))
    own["config"]["pose"]["gone"] = 3
    assert restore_config(own, [], print, Path("run")) == load_preset("synthetic-64", [], "paper")
    with pytest.raises(InputError, match="steps"):
        restore_config(own, ["pose.schedule.stps=9"], print, Path("run"))
    assert restore_config({}, [], print, Path("run")) is None


def test_without_a_run_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="holds no run to go on with; start it first") as error:
            read_run(folder)
        assert error.value.option == "resume"
    write_run(tmp_path / "run", {"seed": 3})
    assert read_run(tmp_path / "run") == {"seed": 3}
    (tmp_path / "run/config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json: cannot be read"):
        read_run(tmp_path / "run")


def test_a_run_of_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    write_run(tmp_path, {"task": "pose", "preset": "synthetic-64"})
    with pytest.raises(InputError, match="is a run of train-pose, not of train-hs") as error:
        train("hs", out=tmp_path, resume=True)
    assert error.value.option == "resume"
    assert not is_same_run({"task": "pose"}, {"task": "semantic"})
    assert is_same_run({}, {"task": "semantic"})  # of before runs told it


def test_a_store_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    told: list[str] = []
    data = {write_store(tmp_path / "a.h5"): 1.0}
    run = {"stores": describe_stores(data)}
    assert restore_data(run) == [str(tmp_path / "a.h5")]
    warn_of_other_data(run, describe_stores(data), told.append)
    assert told == []
    (tmp_path / "a.h5").unlink()
    write_store(tmp_path / "a.h5", 4)
    warn_of_other_data(run, describe_stores(data), told.append)
    assert len(told) == 1
    assert "a.h5 was replaced since the run began" in told[0]
    warn_of_other_data(run, describe_stores({write_store(tmp_path / "b.h5"): 1.0}), told.append)
    assert "b.h5, which the run did not have" in told[1]
    assert len(told) == 2


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"a.h5": 0.7, "b.h5": 0.3}, []),
        ({"a.h5": 1.0}, ["a.h5 as 1 of the samples (it was 0.7)", "without the data set b.h5"]),
        ({"a.h5": 0.1, "b.h5": 0.9}, ["a.h5 as 0.1 of the samples (it was 0.7)", "b.h5 as 0.9"]),
        ({"a.h5": 0.7, "c.h5": 0.3}, ["the data set c.h5, which the run did not have", "without the data set b.h5"]),
    ],
)
def test_data_that_are_gone_or_have_another_share_are_told(now: dict[str, float], expected: list[str]) -> None:
    told: list[str] = []
    run = {"stores": {"a.h5": [0.7, "today", "x", 4], "b.h5": [0.3, "today", "x", 4]}}
    warn_of_other_data(run, {path: [share, "today", "x", 4] for path, share in now.items()}, told.append)
    assert len(told) == len(expected)
    assert all(text in line for text, line in zip(expected, told, strict=True))


def test_options_of_a_run_are_its_own() -> None:
    told: list[str] = []
    run = {"precision": "bf16", "validation": False}
    assert restore_option(run, "precision", None, "fp32", told.append) == "bf16"
    assert restore_option(run, "validation", None, True, told.append) is False
    assert restore_option({}, "precision", None, "fp32", told.append) == "fp32"
    assert restore_option({}, "precision", "bf16", "fp32", told.append) == "bf16"
    assert told == []
    assert restore_option(run, "precision", "fp32", "fp32", told.append) == "fp32"
    assert restore_option(run, "validation", True, True, told.append) is True
    assert told == [
        'resuming with precision = "fp32" (it was "bf16")',
        "resuming with validation = true (it was false)",
    ]


def test_weights_of_a_run_are_its_own() -> None:
    told: list[str] = []
    run = {"weights": {"start": "a.safetensors", "pose": None}}
    assert restore_weights(run, {"start": None, "pose": None}, told.append) == run["weights"]
    assert told == []
    assert restore_weights(run, {"start": Path("b"), "pose": None}, told.append) == {"start": "b", "pose": None}
    assert told == ["resuming with start = b (it was a.safetensors)"]
    assert restore_weights({}, {"start": "c"}, told.append) == {"start": "c"}


def test_weights_that_were_replaced_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "hs"
    folder.mkdir()
    (folder / "last.safetensors").write_bytes(b"of step 500")
    files = {"semantic": folder, "pose": tmp_path / "none", "vgg": None, "start": "bundled"}
    now = identify_weights({}, files, files.keys(), told.append)
    assert now.keys() == {str(folder)}
    assert identify_weights({"weight_files": now}, files, files.keys(), told.append) == now
    assert told == []
    (folder / "weights.safetensors").write_bytes(b"of the last step")  # as the training has finished meanwhile
    assert identify_weights({"weight_files": now}, files, ("pose",), told.append) == {}
    assert identify_weights({"weight_files": now}, files, files.keys(), told.append) != now
    assert told == [f"{folder}/weights.safetensors was replaced since the run began: it goes on with other weights"]


def test_the_same_run_is_that_of_the_same_data_weights_and_settings() -> None:
    run = {"config": {"a": [1]}, "seed": 0, "stores": {"d": [1.0]}, "weights": {}, "precision": "fp32"}
    assert is_same_run(run, run | {"config": {"a": (1,)}})
    for key in run:
        assert not is_same_run(run, run | {key: "another"})


@pytest.mark.parametrize(("given", "count"), [(False, 1), (True, 2)])
def test_a_run_keeps_its_threads_unless_told(monkeypatch: pytest.MonkeyPatch, given: bool, count: int) -> None:
    monkeypatch.setattr("pgen.training.resuming.is_thread_count_given", lambda: given)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        restore_threads({"threads": 1})
        assert torch.get_num_threads() == count
        restore_threads({})
        assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
