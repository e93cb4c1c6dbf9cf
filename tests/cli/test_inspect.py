from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgen.cli.main import main
from pgen.data.formats.images import read_image
from pgen.data.formats.parsing import write_parsing
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.weights import save_weights
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.data.examples import STANDING, example, nothing_left_in, write_store
from tests.data.pose_files import write_pose_csv
from tests.data.trees import write_coco, write_text


def inspect(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    code = main(["inspect", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def test_weights_are_named_as_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_weights(tmp_path / "last.safetensors", (64, 48), {})
    out = inspect(capsys, tmp_path)
    assert "64x48" in out
    assert "last.safetensors" in out


def test_weights_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    out = inspect(capsys, "bundled")  # a file of format 1
    for fact in ("H_S (semantic)", "H_A (appearance)", "parameters; ", "limb maps", "train-joint (ts-pred), 2,000 of"):
        assert fact in out
    assert "mean of" in out
    assert len(out.splitlines()) < 25
    assert "{" not in out
    assert "schedule" not in out
    assert "appearance.schedule.steps" in inspect(capsys, "bundled", "--config")


def test_weights_of_a_training_that_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = LightPoseDetector(PoseDetectorConfig(width=4, blocks=1))
    config = {"pose": {"schedule": {"steps": 2000}}}
    info = {"config": config, "step": 300, "data": {"a.h5": 0.25}, "scores": {"pck": 0.51234}, "seed": 3}
    save_weights(tmp_path / "a.safetensors", (64, 48), {"pose": network}, info)
    out = inspect(capsys, tmp_path / "a.safetensors")
    count = sum(parameter.numel() for parameter in network.parameters())
    facts = (
        f"{count:,} parameters; light, width 4",
        "train-pose, 300 of 2,000 steps, seed 3",
        "a.h5 0.25",
        "pck 0.512",
    )
    for fact in facts:
        assert fact in out


@pytest.mark.parametrize("info", [{"config": [], "scores": 3, "mean": "x", "data": None}, {"semantic": {"step": {}}}])
def test_odd_descriptions_of_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str], info: dict[str, Any]) -> None:
    save_weights(tmp_path / "a.safetensors", (64, 48), {}, info)
    assert "64x48" in inspect(capsys, tmp_path / "a.safetensors", "--config")


@pytest.mark.parametrize("options", [("--count", "3"), ("--config",), ("--pseudo-labels",), ("--sheet", "b.npy")])
def test_options_that_would_do_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_text(tmp_path / "k.txt", STANDING)
    with nothing_left_in(tmp_path):
        assert main(["inspect", "k.txt", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_store(tmp_path / "a.h5")
    out = inspect(capsys, path, "--sheet", tmp_path / "s.png", "--count", 3)
    for fact in ("6 of 128x128", "3 photos of 1 people, 1 pairs", "18.0 of 18", "tests", '{"count": 6}'):
        assert fact in out
    assert read_image(tmp_path / "s.png").shape[0] > 3 * 128


def test_entry_of_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_store(tmp_path / "a.h5")
    out = inspect(capsys, f"{path}:003.png", "--sheet", tmp_path / "s.png")
    for fact in ("p1", "sleeves", "short", "upper 6.0%", "nose", "x 64, y 18"):
        assert fact in out
    assert read_image(tmp_path / "s.png").shape[0] < 2 * 128


def test_poses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pose = STANDING.copy()
    pose[:9] = np.nan
    write_pose_csv(tmp_path / "k.csv", {"a": STANDING, "b": pose})
    out = inspect(capsys, tmp_path / "k.csv", "--sheet", tmp_path / "s.png")
    for fact in ("poses", "2", "13.5 of 18", "47 to 81", "15 to 112"):
        assert fact in out
    assert "nose" not in out
    assert "missing" in inspect(capsys, f"{tmp_path}/k.csv:b")
    write_pose_json(tmp_path / "k.json", STANDING, (300, 200))
    out = inspect(capsys, tmp_path / "k.json", "--sheet", tmp_path / "s.png", "--force")
    assert "300x200" in out
    assert "x 64, y 18" in out
    write_text(tmp_path / "k.txt", STANDING)
    assert "x 64, y 18" in inspect(capsys, tmp_path / "k.txt")


def test_poses_of_several_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_coco(tmp_path / "k.json", {"a.jpg": STANDING, "b.jpg": STANDING}, (300, 200))
    out = inspect(capsys, tmp_path / "k.json", "--sheet", tmp_path / "s.png")
    for fact in ("poses", "2", "18.0 of 18", "300x200"):
        assert fact in out
    assert "x 64, y 18" in inspect(capsys, f"{tmp_path}/k.json:b.jpg")


def test_poses_without_joints_can_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pose_csv(tmp_path / "k.csv", {"a": STANDING * np.nan})
    assert "0.0 of 18" in inspect(capsys, tmp_path / "k.csv", "--sheet", tmp_path / "s.png")


def test_parsing_and_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = example(0)
    write_parsing(tmp_path / "map.png", one.parsing)
    np.save(tmp_path / "map.npy", one.parsing)
    for name in ("map.png", "map.npy"):
        out = inspect(capsys, tmp_path / name, "--sheet", tmp_path / "s.png", "--force")
        assert "parsing map" in out
        assert "upper 6.0%" in out
    Image.fromarray(one.image).save(tmp_path / "photo.png")
    Image.fromarray(one.image).convert("P").save(tmp_path / "palette.png")
    for name in ("photo.png", "palette.png"):
        assert "photo" in inspect(capsys, tmp_path / name)


def test_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    assert main(["inspect", str(tmp_path / "a.safetensors")]) == 2
    assert "a.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("notes.md", "is no pose"),
        ("empty", "is empty"),
        (".", "is a folder"),
        ("cut.h5", "is cut short"),
        ("k.csv:x", "has no 'x'"),
        ("a.h5:x", "has no image 'x'"),
        ("a.png:x", "a.png:x does not exist"),
        ("a.npy:x", "a.npy:x does not exist"),
        ("a.safetensors:x", "a.safetensors:x does not exist"),
    ],
)
def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, line: str) -> None:
    (tmp_path / "notes.md").write_text("# notes")
    (tmp_path / "empty").write_text("")
    write_pose_csv(tmp_path / "k.csv", {"a": STANDING})
    write_parsing(tmp_path / "a.png", example(0).parsing)
    np.save(tmp_path / "a.npy", example(0).parsing)
    save_weights(tmp_path / "a.safetensors", (64, 48), {})
    (tmp_path / "cut.h5").write_bytes(write_store(tmp_path / "a.h5").read_bytes()[:3000])
    with nothing_left_in(tmp_path):
        assert main(["inspect", f"{tmp_path}/{name}", "--sheet", str(tmp_path / "s.png")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1


def test_existing_sheet_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_store(tmp_path / "a.h5")
    (tmp_path / "s.png").write_text("old")
    with nothing_left_in(tmp_path):
        assert main(["inspect", str(path), "--sheet", str(tmp_path / "s.png")]) == 2
    assert "--force" in capsys.readouterr().err
