from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import h5py
import pytest
import torch

from pgen.cli.main import main
from pgen.cli.train import Variant
from pgen.data.store import Store
from pgen.data.weights import describe, load_weights, save_weights
from pgen.models.appearance import TwoLevelAppearanceGenerator
from pgen.runtime.atomic_write import lock_folder
from pgen.training.config import load_preset
from pgen.training.run import read_metrics
from tests.data.examples import nothing_left_in, write_store
from tests.training.people import TINY, draw_nothing, write_people

torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """No waiting for the disk, and neither TensorBoard nor curves, which take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        patch.setitem(sys.modules, "torch.utils.tensorboard", None)
        patch.setattr("pgen.training.run.draw_curves", draw_nothing)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the three trainings were run one after the other."""
    folder = tmp_path_factory.mktemp("trained")
    write_people(folder / "datasets.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in ("train-pose", "train-hs", "train-joint", "train-parser"):
            assert run(command, data=str(folder / "datasets.h5")) == 0
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, *arguments: object, data: str = "datasets.h5") -> int:
    group = {"hs": "semantic", "joint": "appearance"}.get(stage := command.removeprefix("train-"), stage)
    settings = [part for setting in TINY if setting.startswith(f"{group}.") for part in ("--set", setting)]
    if command == "train-joint" and "--vgg" not in arguments:
        settings += ["--vgg", "bundled"]  # never look for weights on the network
    return main([command, "--data", data, "--preset", "synthetic-64", *settings, *map(str, arguments)])


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "Traceback" not in err
    assert out == ""
    return last


def test_the_three_trainings_follow_each_other(trained: Path) -> None:
    for stage, held in (
        ("pose", {"pose"}),
        ("parser", {"parser"}),
        ("hs", {"semantic"}),
        ("joint", {"semantic", "appearance"}),
    ):
        folder = trained / "runs" / stage
        written = {path.name for path in folder.iterdir()}
        assert written >= {"checkpoint.pt", "config.json", "curves.png", "metrics.jsonl", "last.safetensors"}
        assert "samples.png" in written or stage == "joint"
        found = describe(folder / "weights.safetensors")
        assert (found["frame"], set(found["networks"])) == ([64, 64], held)
        info = {key: value for key, value in found["info"].items() if key not in ("step", "scores")}
        told = json.loads((folder / "config.json").read_text())
        assert [*told.pop("stores")] == [str(trained / "datasets.h5")]
        assert told.pop("weights").keys() == {"semantic", "pose", "vgg", "start"}
        looked_through = ("pose", "hs") if stage == "joint" else ()
        assert {Path(path).parent.name for path in told.pop("weight_files")} == set(looked_through)
        assert told.pop("threads") == torch.get_num_threads()
        assert told.pop("task") in ("pose", "semantic", "appearance", "parser")
        assert told.pop("validation") is True
        assert told == info | {"data": str(trained / "datasets.h5"), "precision": "fp32"}  # weights tell the name alone
        assert (info["preset"], info["seed"], info["data"]) == ("synthetic-64", 0, "datasets.h5")
        group = {"hs": "semantic", "joint": "appearance"}.get(stage, stage)
        assert info["config"][group]["schedule"]["steps"] == 4
        weights = load_weights(folder / "weights.safetensors")
        assert all(getattr(weights, name) is not None for name in held)
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [4, 4]
        assert {**found["info"]["scores"], "step": 4} == pytest.approx(lines[1], abs=1e-5)


def test_what_is_printed(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result on stdout, everything else on stderr."""
    given = ("--semantic", trained / "runs/hs/weights.safetensors", "--pose", trained / "runs/pose/weights.safetensors")
    assert run("train-joint", *given, "--max-steps", 1, "--out", "mine", data=str(trained / "datasets.h5")) == 0
    out, err = capsys.readouterr()
    assert out == "mine/checkpoint.pt\n"
    assert "perceptual features: " in err
    assert "warning" not in err


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_interrupted_and_resumed(trained: Path, here: Path, capsys: pytest.CaptureFixture[str], precision: str) -> None:
    data = str(trained / "datasets.h5")
    assert run("train-hs", "--max-steps", 2, "--precision", precision, data=data) == 0
    assert capsys.readouterr().out == "runs/hs/checkpoint.pt\n"
    with nothing_left_in(here):
        assert run("train-hs", "--precision", precision, data=data) == 2
    assert "--resume" in refused(capsys)
    assert run("train-hs", "--resume", "--precision", precision, data=data) == 0
    assert capsys.readouterr().out == "runs/hs/weights.safetensors\n"
    if precision == "fp32":
        one, other = (load_weights(f / "runs/hs/weights.safetensors").semantic for f in (here, trained))
        assert one is not None
        assert other is not None
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_in_two_processes(trained: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The result is that of one process, but for rounding and dropout."""
    data = str(trained / "datasets.h5")
    settings = ("--set", "semantic.network.dropout=0", "--seed", 5)
    assert run("train-hs", *settings, "--out", "one", data=data) == 0
    capfd.readouterr()
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # one that another test has started writes elsewhere
    assert run("train-hs", *settings, "--procs", 2, data=data) == 0
    out, err = capfd.readouterr()
    assert out == "runs/hs/weights.safetensors\n"
    told = [line for line in err.splitlines() if "TensorBoard" not in line]  # which may be installed
    assert len(told) == len(set(told)) == 4, err  # by the first process alone
    assert told[0].startswith("reading ")
    assert told[1].startswith("pseudo labels ")
    assert told[2].startswith("hs, step 4 of 4: ")
    one, other = (load_weights(here / f / "weights.safetensors").semantic for f in ("one", "runs/hs"))
    assert one is not None
    assert other is not None
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)
    alone, both = (read_metrics(here / f / "metrics.jsonl") for f in ("one", "runs/hs"))
    assert [row["step"] for row in both] == [4, 4]
    assert both[0]["cross_entropy"] == pytest.approx(alone[0]["cross_entropy"], rel=1e-3)  # a mean over both


def test_a_batch_that_cannot_be_shared(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(trained / "datasets.h5")
    settings = ("--procs", 2, "--set", "pose.schedule.batch=6", "--set", "pose.schedule.accumulate=2")
    assert run("train-pose", *settings, data=data) == 2
    assert "batch=6 cannot be shared by 2 processes in 2 parts: make it a multiple of 4" in refused(capsys)


def test_seeds_matter(trained: Path, here: Path) -> None:
    assert run("train-pose", "--seed", 3, data=str(trained / "datasets.h5")) == 0
    assert describe(here / "runs/pose/weights.safetensors")["info"]["seed"] == 3
    one, other = (load_weights(f / "runs/pose/weights.safetensors").pose for f in (here, trained))
    assert one is not None
    assert other is not None
    assert not torch.equal(one.to_heatmaps.weight, other.to_heatmaps.weight)  # type: ignore[union-attr]


@pytest.mark.parametrize("command", ["train-pose", "train-hs", "train-joint"])
def test_no_data(here: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with nothing_left_in(here):
        assert run(command) == 2
    assert refused(capsys).startswith("error: datasets.h5 does not exist; prepare ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--preset", "huge"), "huge: no such preset; there are "),
        (("--recipe", "papr"), "papr: no such recipe; did you mean paper? (--recipe)"),
        (("--set", "pose.schedule.stps=3"), "did you mean pose.schedule.steps?"),
        (("--set", "pose.schedule.steps=0"), "steps is at least 1"),
        (("--max-steps", "0"), "--max-steps"),
        (("--precision", "fp8"), "--precision"),
        (("--precision", "fp16", "--out", "other"), "fp16 needs a GPU; on the CPU take bf16 (--precision)"),
        (("--gpus", "0"), "there is no GPU 0 here; none can be used; train on the CPU (--gpus)"),
        (("--gpus", "0", "--procs", "2"), "not both (--procs)"),
        (("--gpus", "first"), "first is no list of GPUs: write their numbers, such as 0,1 (--gpus)"),
        (("--gpus", "0,"), "(--gpus)"),
        (("--out", "datasets.h5"), "datasets.h5: is a file; name a folder for the run (--out)"),
    ],
)
def test_bad_options(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple, reason: str
) -> None:
    monkeypatch.chdir(trained)
    with nothing_left_in(trained):
        assert run("train-pose", *arguments) == 2
    assert reason in refused(capsys)


@pytest.mark.parametrize(
    ("flag", "stage", "reason"),
    [
        ("--semantic", "none", "train H_S first"),
        ("--pose", "none", "train a pose detector first"),
        ("--semantic", "pose", "holds no H_S; train one first"),
        ("--pose", "hs", "holds no pose detector; train one first"),
    ],
)
def test_joint_needs_the_others(
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    stage: str,
    reason: str,
) -> None:
    monkeypatch.chdir(trained)
    path = f"runs/{stage}/weights.safetensors"
    with nothing_left_in(trained):
        assert run("train-joint", flag, path, "--out", "other") == 2
    line = refused(capsys)
    assert line.startswith(f"error: {path}: ")
    assert line.endswith(f" ({flag})")
    assert reason in line


def test_vgg_that_is_none(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(trained)
    assert run("train-joint", "--vgg", "none.pth", "--out", "other") == 2
    assert "none.pth: there is no such file" in refused(capsys)


def test_weights_of_half_the_frame_are_grown(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(here / "larger.h5", 6, 3)
    given = ("--semantic", trained / "runs/hs/weights.safetensors", "--pose", trained / "runs/pose/weights.safetensors")
    run("train-joint", *given, "--set", "frame=[128,128]", data="larger.h5")  # (whose people all stand alike)
    told = capsys.readouterr().err
    assert "hs/weights.safetensors: grown to twice its frame" in told
    assert "pose/weights.safetensors: looks at pictures half as large" in told


def test_weights_of_another_frame_are_told(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = load_weights(trained / "runs/pose/weights.safetensors")
    assert weights.pose is not None
    save_weights(here / "other.safetensors", (96, 64), {"pose": weights.pose})
    given = ("--semantic", trained / "runs/hs/weights.safetensors", "--pose", here / "other.safetensors")
    run("train-joint", *given, "--max-steps", 1, data=str(trained / "datasets.h5"))
    assert "trained at 96x64, the data are 64x64" in capsys.readouterr().err


def test_no_training_photos_or_test_pairs(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(here / "all.h5", 4, 1)  # all of p0: for testing only
    assert run("train-pose", data="all.h5") == 2
    assert "no train images" in refused(capsys)
    with Store(trained / "datasets.h5") as store:
        train = store.indices("train")
    for pairs in ([], [(int(train[0]), int(train[1]))]):
        (here / "people.h5").write_bytes((trained / "datasets.h5").read_bytes())
        with h5py.File(here / "people.h5", "r+") as file:
            del file["pairs/test"], file["affines/test"]
            file["pairs"].create_dataset("test", data=torch.tensor(pairs, dtype=torch.int32).reshape(-1, 2).numpy())
            file["affines"].create_dataset("test", data=torch.zeros(len(pairs), 10, 2, 3).numpy())
        assert (
            run("train-hs", "-o", f"runs/hs{len(pairs)}", data="people.h5") == 0
        )  # pairs are found among held-out people
        assert any(
            "miou" in json.loads(row) for row in Path(f"runs/hs{len(pairs)}/metrics.jsonl").read_text().splitlines()
        )


def test_resuming_with_other_settings_says_so(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(trained / "datasets.h5")
    assert run("train-pose", "--max-steps", 1, "--out", "mine", data=data) == 0
    capsys.readouterr()
    given = ("--out", "mine", "--resume", "--set", "pose.noise=0.25")
    assert main(["train-pose", "--max-steps", "2", *given]) == 0
    _, err = capsys.readouterr()
    assert "warning: resuming with config.pose.noise = 0.25 (it was 0.05)" in err
    assert err.count("warning") == 1


def test_target_maps_can_come_from_pseudo_labels_alone(trained: Path, here: Path) -> None:
    pose = ("--pose", trained / "runs/pose/weights.safetensors")
    data = str(trained / "datasets.h5")
    assert run("train-joint", *pose, "--set", "appearance.random_pose_prob=0", "--out", "mine", data=data) == 0
    assert set(describe(here / "mine" / "weights.safetensors")["networks"]) == {"appearance"}


def test_growing_from_one_level_weights(trained: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--pose", trained / "runs/pose/weights.safetensors", "--variant", "ts-gt", "--recipe", "pgen"]
    for setting in ("network.local_widths=[2, 4]", "growth.fade_in_steps=4", "schedule.lr=0"):
        given += ["--set", f"appearance.{setting}"]
    data, start = str(trained / "datasets.h5"), trained / "runs/joint/weights.safetensors"
    assert run("train-joint", *given, "--start", start, "--max-steps", 2, data=data) == 0
    one_level = load_weights(start).appearance
    grown = load_weights(here / "runs/joint/last.safetensors").appearance
    assert one_level is not None
    assert isinstance(grown, TwoLevelAppearanceGenerator)
    assert grown.fade_in == 0.5
    for a, b in zip(one_level.parameters(), grown.coarse.parameters(), strict=True):
        torch.testing.assert_close(a, b)  # (nearly: of averaged weights)
    capsys.readouterr()

    for weights, reason in ((trained / "runs/pose/weights.safetensors", "holds no H_A"), ("no.pth", "no such file")):
        assert run("train-joint", *given, "--start", weights, "--out", "other", data=data) == 2
        assert reason in refused(capsys)
    other = ("--set", "appearance.network.widths=[4, 8, 8, 16]")
    assert run("train-joint", *given, *other, "--start", start, "--out", "other", data=data) == 2
    assert refused(capsys) == f"error: {start}: its sizes are not the preset's (--start)"


@pytest.mark.parametrize("variant", Variant)
def test_variants_are_resolved(variant: Variant) -> None:
    """The baseline's without maps and what needs them, whatever was set before."""
    settings = ["appearance.weights.warp_l1=5", f"appearance.variant={variant.value}"]
    config = load_preset("synthetic-64", settings).appearance
    assert config.variant == variant.value
    expected = (False, 0) if variant is Variant.BASELINE else (True, 5)
    assert (config.network.parsing, config.weights["warp_l1"]) == expected


def test_two_trainings_in_one_folder_lock_each_other_out(
    trained: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock_folder(Path("mine")), nothing_left_in(here):
        assert run("train-pose", "--max-steps", 1, "--out", "mine", data=str(trained / "datasets.h5")) == 2
    assert "another process writes into mine; wait for it, or choose another folder (--out)" in refused(capsys)


def test_a_run_that_had_finished_is_no_error(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    with nothing_left_in(trained):
        assert run("train-pose", data=str(trained / "datasets.h5")) == 0
        assert run("train-pose", "--resume", data=str(trained / "datasets.h5")) == 0
        assert run("train-pose", "--seed", 3, data=str(trained / "datasets.h5")) == 2
    out, err = capsys.readouterr()
    assert out == "runs/pose/weights.safetensors\n" * 2
    assert "runs/pose holds this run, finished" in err
    assert "holds a finished run: choose another folder, or remove it" in err


def test_fields_of_another_training_are_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(trained / "datasets.h5")
    assert run("train-pose", "--set", "semantic.schedule.steps=3", data=data) == 2
    assert "this is a field of train-hs, and does nothing here; fields of train-pose begin with pose." in refused(
        capsys
    )


def test_a_training_that_was_stopped_says_how_it_goes_on(
    trained: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train-pose", "--max-steps", 1, "--out", "mine", data=str(trained / "datasets.h5")) == 0
    assert "stopped after step 1 of 4; pgen train-pose --out mine --resume goes on" in capsys.readouterr().err
    assert (
        main(
            [
                "train-joint",
                "--data",
                str(trained / "datasets.h5"),
                "--preset",
                "synthetic-64",
                "--pose",
                "mine/weights.safetensors",
            ]
        )
        == 2
    )
    assert "runs/hs/weights.safetensors: there is no such file" in refused(capsys)
