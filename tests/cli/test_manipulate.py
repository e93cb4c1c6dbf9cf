from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pgen.body.labels import Label
from pgen.cli.main import main
from pgen.data.formats.parsing import read_parsing
from tests.body.layouts import dressed
from tests.data.examples import STANDING, example, nothing_left_in
from tests.data.pose_files import write_pose_csv
from tests.inference.tiny import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors", semantic=False)


@pytest.fixture
def manipulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path):  # type: ignore[no-untyped-def]
    """A folder with a photo, its map and its pose, and the command on that photo."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(example(0).image).save("a.png")
    np.save("a.npy", dressed(STANDING, 0.5, Label.PANTS, 2))
    write_pose_csv("poses.csv", {"a.png": STANDING})

    def run(*arguments: str) -> int:
        given = ("a.png", "--src-pose", "poses.csv", "--src-parsing", ".", "--weights", str(weights))
        return main(["manipulate", *given, *arguments])

    return run


def test_edits(manipulate, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    edits = ("--edit", "sleeves=long", "--edit", "lower=skirt")
    assert manipulate(*edits, "-o", "out.png", "--sheet", "sheet.png", "--save-parsing", "map.png") == 0
    out, err = capsys.readouterr()
    assert out == "out.png\n"
    assert f"weights: {weights}\n" in err
    assert "wrote map.png; its colors: background #000000, face #ffc896" in err
    result, source = np.asarray(Image.open("out.png")), np.asarray(Image.open("a.png"))
    assert (result != source).any()
    np.testing.assert_array_equal(result[:20], source[:20])
    parsing = read_parsing("map.png")
    assert (parsing == Label.SKIRT).any()
    width, height = Image.open("sheet.png").size
    assert width > 3 * height


def test_a_map_goes_out_and_comes_back(manipulate, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert manipulate("--save-parsing", "map.png") == 0
    painted = np.asarray(Image.open("map.png").convert("RGB")).copy()
    np.testing.assert_array_equal(read_parsing("map.png"), np.load("a.npy"))
    painted[40:60, 58:70] = (200, 60, 200)
    Image.fromarray(painted).save("map.png")
    assert manipulate("--parsing", "map.png", "-o", "out.png") == 0
    changed = (np.asarray(Image.open("out.png")) != np.asarray(Image.open("a.png"))).any(axis=2)
    assert changed[40:60, 58:70].mean() > 0.9
    assert not changed[:36].any()
    assert capsys.readouterr().out == "out.png\n"


def test_someone_small_in_a_large_photo(manipulate) -> None:  # type: ignore[no-untyped-def]
    scene, parsing = np.full((400, 600, 3), 90, np.uint8), np.zeros((400, 600), np.uint8)
    scene[100:228, 300:428], parsing[100:228, 300:428] = np.asarray(Image.open("a.png")), np.load("a.npy")
    Image.fromarray(scene).save("a.png")
    np.save("a.npy", parsing)
    write_pose_csv("poses.csv", {"a.png": STANDING + np.array([300, 100])})
    assert manipulate("--edit", "sleeves=long", "-o", "out.png", "--save-parsing", "map.png") == 0
    changed = (np.asarray(Image.open("out.png")) != scene).any(axis=2)
    assert changed.any()
    edited = read_parsing("map.png") != parsing
    assert edited.shape == changed.shape
    assert not changed[~ndimage.binary_dilation(edited, iterations=8)].any()


def test_nothing_changes(manipulate, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert manipulate("--edit", "sleeves=0.25", "-o", "out.png") == 0
    assert "warning: a.png: sleeves=0.25 changes nothing that the photo shows" in capsys.readouterr().err
    np.testing.assert_array_equal(np.asarray(Image.open("out.png")), np.asarray(Image.open("a.png")))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--edit", "sleeves=long"), "nowhere to write to: give --out or --sheet or --save-parsing"),
        (("-o", "out.png"), "nothing to change: give --edit NAME=VALUE or --parsing FILE"),
        (("--edit", "sleeves", "-o", "out.png"), "--edit sleeves: write NAME=VALUE, such as sleeves=long"),
        (("--edit", "shoes=red", "-o", "out.png"), "edit 'shoes' is unknown; choose one of sleeves"),
        (("--edit", "hair=blue", "-o", "out.png"), "hair=blue is unknown; choose one of short, long"),
        (("--edit", "hair=long", "--edit", "hair=short", "-o", "out.png"), "hair is given twice"),
        (("--edit", "hair=long", "--parsing", "a.npy", "-o", "out.png"), "give one of them"),
        (("--edit", "hair=long", "-o", "out.gif"), "out.gif: pictures are written as PNG, JPEG or WebP"),
        (("--edit", "hair=long", "-o", "out.png", "--sheet", "./out.png"), "are one file"),
        (("--edit", "hair=long", "--save-parsing", "map.jpg"), "map.jpg: name it map.png (--save-parsing)"),
        (("--edit", "hair=long", "-o", "a.png"), "a.png exists already"),
        (("--parsing", "small.png", "-o", "out.png"), "small.png has 32x32 pixels (height x width), and a.png 128x128"),
        (("--parsing", "a.png", "-o", "out.png"), "pixels whose colour is no label's"),
        (("--parsing", "none.png", "-o", "out.png"), "none.png does not exist"),
    ],
)
def test_refused(manipulate, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    Image.fromarray(np.zeros((32, 32), np.uint8)).save("small.png")
    with nothing_left_in(Path()):
        assert manipulate(*arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


def test_existing_result(manipulate) -> None:  # type: ignore[no-untyped-def]
    arguments = ("--edit", "sleeves=none", "-o", "out.png")
    assert manipulate(*arguments) == 0
    with nothing_left_in(Path()):
        assert manipulate(*arguments) == 2
    assert manipulate(*arguments, "--force") == 0
