from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import pgen
from pgen.data.store import StoreWriter
from pgen.data.weights import describe
from pgen.training.build import TASKS
from tests.training.people import SIZE, TINY, examples, write_people

TASKS_BY_NAME = {name: group for group, name in TASKS.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people") / "people.h5")


def test_train_from_python(data: Path, tmp_path: Path) -> None:
    """Which can be stopped and resumed, and hands each row of losses and scores to whoever asks."""
    rows: list[tuple[int, dict[str, float]]] = []

    def on_log(step: int, values: dict[str, float]) -> None:
        rows.append((step, values))

    settings = (*TINY, "pose.schedule.log_every=2")
    for max_steps in (2, None):
        result = pgen.train(
            "pose",
            data,
            tmp_path / "run",
            preset="synthetic-64",
            settings=settings,
            max_steps=max_steps,
            resume=max_steps is None,
            on_log=on_log,
        )
        assert result == tmp_path / "run" / ("checkpoint.pt" if max_steps else "weights.safetensors")
    assert describe(result)["info"]["step"] == 4
    assert [step for step, _ in rows] == [2, 4, 4]
    assert ["samples_per_second" in values for _, values in rows] == [True, True, False]
    assert "pck" in rows[2][1]


def test_a_resumed_run_keeps_its_precision_and_its_people(data: Path, tmp_path: Path) -> None:
    given = {"preset": "synthetic-64", "settings": TINY, "precision": "bf16", "validation": False}
    whole = pgen.train("pose", data, tmp_path / "whole", **given)
    pgen.train("pose", data, tmp_path / "parts", max_steps=2, **given)
    parts = pgen.train("pose", out=tmp_path / "parts", resume=True)
    first, second = (load_file(path) for path in (whole, parts))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_rows_are_logged_where_nobody_asks(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, "pgen.training"):
        result = pgen.train("parser", data, preset="synthetic-64", settings=TINY, max_steps=1)
    assert result == Path("runs/parser/checkpoint.pt")
    assert any(record.getMessage().startswith("parser, step 1 of 4: ") for record in caplog.records)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"task": "poses"}, "task"),
        ({"precision": "fp8"}, "precision"),
        ({"processes": 2, "settings": ("pose.schedule.batch=3",)}, "settings"),
        ({"gpus": (0,), "processes": 2}, "processes"),
    ],
)
def test_errors_name_the_parameter(data: Path, tmp_path: Path, given: dict, option: str) -> None:
    with pytest.raises(pgen.InputError) as error:
        pgen.train(**{"task": "pose", "data": data, "out": tmp_path / "run", "preset": "synthetic-64", **given})
    assert error.value.option == option
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("task", "validation"), [("hs", True), ("parser", True), ("pose", False)])
def test_a_set_without_people_for_testing(
    tmp_path: Path, task: str, validation: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Two data sets: of people of whom there are two photos each, and of one photo each; none are for testing."""
    with StoreWriter(tmp_path / "singles.h5", SIZE, source="tests") as writer:
        for item in examples()[:8:2]:
            writer.add(replace(item, split="train"))
    with StoreWriter(tmp_path / "doubles.h5", SIZE, source="tests") as writer:
        for item in examples():
            writer.add(replace(item, split="train"))
    rows: list[dict[str, float]] = []
    with caplog.at_level(logging.INFO, "pgen.training"):
        pgen.train(
            task,
            [f"{tmp_path}/singles.h5:0.25", tmp_path / "doubles.h5"],
            tmp_path / "run",
            preset="synthetic-64",
            settings=[*TINY, f"{TASKS_BY_NAME[task]}.schedule.steps=2"],
            validation=validation,
            on_log=lambda step, values: rows.append(values),
        )
    scores = {name for row in rows for name in row if name.startswith("miou")}
    told = [record.getMessage() for record in caplog.records]
    assert any("doubles.h5: 4 images are held out" in message for message in told) == validation
    of_parser = {"miou_singles", "miou_doubles"} if task == "parser" else {"miou_of_copying"}
    assert scores == ({"miou"} | of_parser if validation else set())
    assert describe(tmp_path / "run" / "weights.safetensors")["info"]["data"] == "singles.h5:0.25, doubles.h5:0.75"


def test_a_training_starts_from_a_run(data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = {"data": data, "preset": "synthetic-64", "settings": TINY, "max_steps": 1, "validation": False}
    pgen.train("parser", out=tmp_path / "first", **given)
    with caplog.at_level(logging.INFO, "pgen.training"):
        pgen.train("parser", out=tmp_path / "second", start=tmp_path / "first", **given)
    assert f"start: weights: {tmp_path}/first/last.safetensors (of a training that has not finished)" in caplog.text
    with pytest.raises(pgen.InputError, match="no weights of a training") as error:
        pgen.train("parser", out=tmp_path / "third", start=tmp_path, **given)
    assert error.value.option == "start"


def test_a_preset_s_frame_is_heeded(data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Data of 64×64: smaller frames are trained at, larger ones refused."""
    given = {"data": data, "out": tmp_path / "run", "max_steps": 1}
    with pytest.raises(pgen.InputError, match="cannot be scaled down to 128x128") as error:
        pgen.train("pose", **given, preset="synthetic-128", settings=TINY)
    assert error.value.option == "preset"
    with pytest.raises(pgen.InputError, match="a height and a width"):
        pgen.train("pose", **given, preset="synthetic-64", settings=[*TINY, "frame=[64]"])
    with caplog.at_level(logging.INFO, "pgen.training"):
        pgen.train("pose", **given, preset="synthetic-64", settings=[*TINY, "frame=[32, 32]"])
    assert "people.h5: photos are scaled to 32x32" in caplog.text
    assert describe(tmp_path / "run" / "last.safetensors")["frame"] == [32, 32]
    given["out"] = tmp_path / "parser"
    pgen.train("parser", **given, preset="synthetic-64", settings=[*TINY, "parser.frame=[48, 48]"])
    assert describe(tmp_path / "parser" / "last.safetensors")["frame"] == [48, 48]


@pytest.mark.parametrize(
    ("task", "size", "unit", "near"),
    [
        ("semantic", "[60, 60]", 8, "64x64"),
        ("appearance", "[60, 60]", 8, "64x64"),
        ("parser", "[40, 40]", 16, "32x32"),
        ("pose", "[31, 31]", 2, "32x32"),
    ],
)
def test_frames_that_a_network_cannot_take_are_refused(
    data: Path, tmp_path: Path, task: str, size: str, unit: int, near: str
) -> None:
    """Levels halve a frame: one of 256×176 has no fifth half, and would end in an error of the library."""
    given = {"data": data, "preset": "synthetic-64", "settings": [*TINY, f"frame={size}"]}
    with pytest.raises(
        pgen.InputError, match=f"multiples of {unit} for this network; prepare photos of {near}"
    ) as error:
        pgen.train(task, out=tmp_path / "run", **given)
    assert error.value.option == "preset"
    assert not (tmp_path / "run").exists()


def test_networks_that_a_training_looks_through_take_its_frames(data: Path, tmp_path: Path) -> None:
    given = {"data": data, "preset": "synthetic-64"}
    deep = [*TINY, "semantic.network.widths=[4, 4, 4, 4, 4]", "semantic.schedule.steps=1"]
    pgen.train("semantic", out=tmp_path / "hs", **given, settings=deep)
    with pytest.raises(pgen.InputError, match="56x56 are to be multiples of 16") as error:
        pgen.train(
            "appearance",
            out=tmp_path / "run",
            semantic=tmp_path / "hs",
            pose=tmp_path / "none",
            settings=[*TINY, "frame=[56, 56]"],
            **given,
        )
    assert error.value.option == "semantic"
