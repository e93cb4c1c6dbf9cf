from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.labels import Label
from pgen.cli.main import main
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from tests.body.layouts import dressed
from tests.data.examples import STANDING, example, nothing_left_in
from tests.data.pose_files import write_pose_csv
from tests.inference.tiny import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def transfer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path):  # type: ignore[no-untyped-def]
    """A folder with four photos, their maps and poses, and the command with these annotations."""
    monkeypatch.chdir(tmp_path)
    for index, name in enumerate("abcd"):
        Image.fromarray(example(index).image).save(f"{name}.png")
        np.save(f"{name}.npy", dressed(STANDING, 0.4 + 0.3 * index, Label.SKIRT if index % 2 else Label.PANTS, 1.5))
    write_pose_csv("poses.csv", {f"{name}.png": STANDING for name in "abcd"})

    def run(*arguments: str, own: Path = weights) -> int:
        return main(["texture-transfer", *arguments, "--weights", str(own)])

    return run


GIVEN = ("--clothes-pose", "poses.csv", "--clothes-parsing", ".", "--person-pose", "poses.csv", "--person-parsing", ".")
ONE = ("--clothes", "a.png", "--person", "b.png", *GIVEN)


def test_one(transfer, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert transfer(*ONE, "--regions", "upper,lower", "-o", "out.png", "--sheet", "sheet.png") == 0
    out, err = capsys.readouterr()
    assert out == "out.png\n"
    assert err == f"weights: {weights}\nwrote sheet.png\n"
    result, person = (np.asarray(Image.open(name)) for name in ("out.png", "b.png"))
    region = np.isin(np.load("b.npy"), (Label.UPPER, Label.SKIRT))
    np.testing.assert_array_equal(result[~region], person[~region])
    assert (result[region] != person[region]).any(axis=1).mean() > 0.9
    width, height = Image.open("sheet.png").size
    assert width > 3 * height


def test_all_clothes_on_all_people(transfer, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    photos = ("--clothes", "a.png", "--clothes", "b.png", "--person", "c.png", "--person", "d.png")
    assert transfer(*photos, *GIVEN, "--shape", "-o", "results", "--sheet", "grid.png") == 0
    names = ["a__c.png", "a__d.png", "b__c.png", "b__d.png"]
    assert capsys.readouterr().out.splitlines() == [f"results/{name}" for name in names]
    width, height = Image.open("grid.png").size
    assert width > 3 * 256
    assert height > 3 * 256


def test_a_failure_costs_nothing_else(transfer, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    dress = Predictor.transfer_texture

    def fail(self: Predictor, clothes: Person, *rest: object) -> object:
        if clothes.name == "a.png":
            raise RuntimeError("out of\nluck")
        return dress(self, clothes, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "transfer_texture", fail)
    assert transfer("--clothes", "a.png", "--clothes", "b.png", "--person", "c.png", *GIVEN, "-o", "results") == 1
    out, err = capsys.readouterr()
    assert out == "results/b__c.png\n"
    assert "error: c.png in the clothes of a.png: out of luck (1 failed; every other result was written)" in err


def test_someone_small_in_a_large_photo(transfer, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    scene, parsing = np.full((400, 600, 3), 90, np.uint8), np.zeros((400, 600), np.uint8)
    scene[100:228, 300:428], parsing[100:228, 300:428] = np.asarray(Image.open("b.png")), np.load("b.npy")
    Image.fromarray(scene).save("scene.png")
    np.save("scene.npy", parsing)
    write_pose_csv("scene.csv", {"scene.png": STANDING + np.array([300, 100])})
    own = ("--person-pose", "scene.csv", "--person-parsing", ".")
    assert transfer("--clothes", "a.png", "--person", "scene.png", *GIVEN[:4], *own, "-o", "out.png") == 0
    result, region = np.asarray(Image.open("out.png")), parsing == Label.UPPER
    np.testing.assert_array_equal(result[~region], scene[~region])
    assert (result[region] != scene[region]).any(axis=1).mean() > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (ONE, "nowhere to write to: give --out or --sheet"),
        ((*ONE, "--regions", "shoes", "-o", "out.png"), "region 'shoes' is unknown; choose one of upper, pants"),
        ((*ONE, "--regions", "pants", "-o", "out.png"), "b.png shows no pants; choose lower"),
        ((*ONE, "-o", "b.png"), "b.png is read here"),
        ((*ONE, "-o", "out.gif"), "out.gif: pictures are written as PNG, JPEG or WebP"),
        ((*ONE, "-o", "out.png", "--sheet", "out.png"), "are one file"),
        ((*ONE, "--clothes", "c.png", "-o", "out.png"), "out.png is one file, and there will be 2 results"),
        ((*ONE[:4], *GIVEN[2:], "-o", "out.png"), "--clothes-pose"),
        ((*ONE[:6], *GIVEN[2:4], "-o", "out.png"), "or the pose yourself"),
        (("--clothes", "a.png", "-o", "out.png"), "--person"),
        ((*ONE, "--clothes-pose", "poses.csv", "-o", "out.png"), "--clothes-pose is given 2 times for 1 photos"),
    ],
)
def test_refused(transfer, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    with nothing_left_in(Path()):
        assert transfer(*arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


def test_shape_needs_layouts(transfer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    lone = write_weights(tmp_path / "ha.safetensors", semantic=False)
    assert transfer(*ONE, "-o", "out.png", own=lone) == 0
    assert transfer(*ONE, "--shape", "-o", "shape.png", own=lone) == 2
    assert "H_S" in capsys.readouterr().err
