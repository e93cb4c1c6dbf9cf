"""Options that would do nothing are refused, before any work."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.cli.main import main
from pgen.data.formats.pose_json import write_pose_json
from tests.data.examples import STANDING, example, nothing_left_in, write_folder, write_store
from tests.data.pose_files import write_pose_csv
from tests.evaluation.folders import write_photos, write_results
from tests.inference.tiny import write_weights

GENERATE = "generate a.png --src-pose k.csv --src-parsing a.npy --pose walk -o out.png --weights tiny.safetensors"
EVALUATE = "evaluate --data s.h5 --metrics ssim --offline"
THEIRS = "evaluate --targets true --generated results --metrics ssim --offline"

IDLE = {
    GENERATE: (
        "--person 1", "--min-confidence 0.3", "--parser pgen", "--frames 9",
        "--src-parsing s.h5 --parsing-scheme lip20", "--frame-mode extend --parsing a.npy",
        "--shadow --background transparent",
    ),
    "generate a.png --pose walk --sheet s.png": ("--paste", "--src-frame 128"),
    "generate s.h5:001.png --pose walk -o out.png": ("--person 1", "--parser pgen"),
    "manipulate s.h5:001.png --edit sleeves=long -o out.png": ("--person 0", "--parser pgen", "--min-confidence 0.2"),
    "texture-transfer --clothes s.h5:001.png --person s.h5:002.png -o out.png": (
        "--clothes-number 1", "--person-number 1", "--parser pgen", "--min-confidence 0.2",
    ),
    "annotate a.png -o out --what pose": ("--parser pgen", "--min-confidence 0.2", "--src-parsing a.npy"),
    "poses": ("--force",),
    "presets": ("--recipe paper",),
    "studio --no-browser": ("--share network --host 127.0.0.1",),
    "inspect s.h5": ("--count 3", "--force", "--config"),
    "prepare --dataset folder --root mine -o out.h5": (
        "--pose-annotator mediapipe", "--parser pgen", "--annotate pose --parser pgen", "--poses 3",
    ),
    "prepare --dataset synthetic --people 2 -o out.h5": ("--strict", "--frame 128"),
    EVALUATE: (
        "--maps true --baseline copy-source", "--layout patn", "--panel 2", "--keypoints k.csv", "--frame 128",
        "--count 3", "--min-confidence 0.4", "--against train", "--train-images true",
        "--detector runs/pose", "--alexnet-weights x",
        "--inception-weights x", "--lite0-weights x", "--json --protocols", "--cache c.sqlite --no-cache", "--force",
    ),
    f"{EVALUATE} --metrics psnr": ("--protocol gfla-51",),
    THEIRS: ("--frame 128", "--min-confidence 0.4", "--maps true"),
    "train-joint --data s.h5 --variant baseline -o out": ("--semantic x.safetensors",),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo with its map and pose, a store, a data set, and results of others."""
    folder = tmp_path_factory.mktemp("files")
    Image.fromarray(example(0).image).save(folder / "a.png")
    np.save(folder / "a.npy", example(0).parsing)
    write_pose_csv(folder / "k.csv", {"a.png": STANDING})
    write_pose_json(folder / "two.json", STANDING, (128, 128))
    write_store(folder / "s.h5")
    write_folder(folder / "mine")
    write_photos(folder / "true")
    write_results(folder / "results", "patn")
    write_weights(folder / "tiny.safetensors")
    return folder


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command, options in IDLE.items() for option in options]
)
def test_options_that_would_do_nothing(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    monkeypatch.chdir(files)
    with nothing_left_in(files):
        assert main(shlex.split(f"{command} {option}")) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert any(word in line for word in option.split() if word.startswith("--")), line


def test_what_was_given_before_does_not_count(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    assert main(["presets", "--recipe", "paper"]) == 2
    assert main(["presets", "synthetic-64", "--recipe", "paper"]) == 0
    assert main(["presets"]) == 0


def test_the_same_options_where_they_act(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    acting = "manipulate a.png --src-pose two.json --src-parsing a.npy --min-confidence 0.3 --person 0"
    assert main(shlex.split(f"{acting} --save-parsing acting.png --weights tiny.safetensors")) == 0
