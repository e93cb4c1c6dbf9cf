from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgen.cli.main import main
from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import PgenError
from pgen.inference.networks import FramedPerson
from pgen.inference.rendering.render import Renderer
from pgen.inference.result import Result
from pgen.inference.targets import Target
from tests.data.examples import STANDING, example, nothing_left_in, write_store
from tests.data.pose_files import write_pose_csv
from tests.inference.tiny import write_weights

pytestmark = pytest.mark.usefixtures("no_silhouettes")

A = example(0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two photos of other sizes, their maps, poses in one CSV, and a JSON pose."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(A.image).save("a.png")
    Image.fromarray(A.image).resize((64, 128)).save("b.jpg")
    np.save("a.npy", A.parsing)
    np.save("b.npy", A.parsing[:, ::2])
    write_pose_csv("poses.csv", {"a.png": STANDING, "b.jpg": STANDING * (0.5, 1)})
    write_pose_json("c.json", STANDING + 3, (128, 128))
    return tmp_path


@pytest.fixture
def generate(here: Path, weights: Path):  # type: ignore[no-untyped-def]
    def run(*arguments: object, own: Path = weights) -> int:
        return main(["generate", *map(str, arguments), "--weights", str(own)])

    return run


ONE = ("a.png", "--src-pose", "poses.csv", "--src-parsing", "a.npy")
BOTH = ("a.png", "b.jpg", "--src-pose", "poses.csv", "--src-parsing", ".")


def test_one(generate, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "poses.csv:b.jpg", "-o", "out.png", "--sheet", "sheet.png") == 0
    out, err = capsys.readouterr()
    assert out == "out.png\n"
    doubt = "warning: a.png: only 61% of the joints lie on the body of a.npy; look at it"
    assert err == f"weights: {weights}\n{doubt}\nwrote sheet.png\n"
    assert Image.open("out.png").size == (128, 128)
    width, height = Image.open("sheet.png").size
    assert width > 3 * height


def test_every_source_with_every_target(generate, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    targets = ("--pose", "poses.csv:b.jpg", "--pose", "c.json")
    assert generate(*BOTH, *targets, "-o", "results", "--sheet", "results/sheet.png") == 0
    names = ["a__b.png", "a__c.png", "b__b.png", "b__c.png"]
    assert capsys.readouterr().out.splitlines() == [f"results/{name}" for name in names]
    assert [Image.open(f"results/{name}").size for name in names] == [(128, 128)] * 2 + [(64, 128)] * 2
    width, height = Image.open("results/sheet.png").size
    assert height > 4 * 256
    assert width > 4 * 256


def test_a_result_that_cannot_be_written_is_refused_before_the_work(  # type: ignore[no-untyped-def]
    generate, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there.png").write_bytes(b"mine")
    for name, why in (("there.png", "exists already"), ("nowhere/x.png", "nowhere")):
        assert generate(*ONE, "--pose", "c.json", "-o", name) == 2
        said = capsys.readouterr().err
        assert why in said
        assert "weights:" not in said


def test_numbers_of_bundled_poses_are_refused(  # type: ignore[no-untyped-def]
    generate, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(*ONE, "--pose", "walk#1", "-o", "x.png") == 2
    assert "walk is a bundled pose, of one person; leave out #1 (--pose)" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_other_kinds_of_pictures(generate, here: Path, suffix: str) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "c.json", "-o", f"out.{suffix}", "--sheet", f"sheet.{suffix}") == 0
    kinds = {Image.open(f"{name}.{suffix}").format for name in ("out", "sheet")}
    assert kinds == {"JPEG" if suffix == "jpg" else "WEBP"}


def test_cut_out_people(generate, here: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    Image.fromarray(np.dstack([A.image, np.uint8(255) * (A.parsing > 0)])).save("a.png")
    assert generate(*ONE, "--pose", "c.json", "-o", "out.png", "--gif", "out.gif") == 0
    assert Image.open("out.png").mode == "RGBA"
    assert "white" not in capsys.readouterr().err
    assert generate(*ONE, "--pose", "c.json", "-o", "out.jpg") == 0
    assert "laid over white; name out.png to keep it" in capsys.readouterr().err
    assert generate(*ONE, "--pose", "c.json", "--background", "white", "-o", "white.png") == 0
    assert Image.open("white.png").mode == "RGB"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--background", "transparent", "-o", "out.jpg"), "name it out.png"),
        (("--background", "white", "--paste", "-o", "out.png"), "leave --background white out"),
    ],
)
def test_backgrounds_that_would_not_show(  # type: ignore[no-untyped-def]
    generate, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], why: str
) -> None:
    assert generate(*ONE, "--pose", "c.json", *options) == 2
    assert why in capsys.readouterr().err
    assert not list(Path().glob("out*"))


def test_a_background_is_not_overwritten(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "c.json", "--background", "b.jpg", "-o", "b.jpg", "--force") == 2


def test_results_of_one_name_are_numbered(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "c.json", "--pose", "c.json", "-o", "results") == 0
    assert sorted(path.name for path in Path("results").iterdir()) == ["a__c-2.png", "a__c.png"]


def test_one_into_a_folder(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    Path("results").mkdir()
    assert generate(*ONE, "--pose", "c.json", "-o", "results") == 0
    assert Path("results/a__c.png").exists()


def test_names_from_files_stay_in_the_folder(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    write_pose_csv("odd.csv", {"../up/x y.png": STANDING})
    assert generate(*ONE, "--pose", "odd.csv", "-o", "results/") == 0
    assert [path.name for path in Path("results").iterdir()] == ["a__x_y.png"]


def test_store_brings_annotations(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    write_store(here / "s.h5")
    assert generate("s.h5:001.png", "--pose", "s.h5:002.png", "-o", "out.png") == 0
    assert (
        generate("a.png", "--src-pose", "poses.csv", "--src-parsing", "s.h5:001.png", "--pose", "c.json", "-o", "x.png")
        == 0
    )


def test_annotations_of_each(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    own = ("--src-pose", "poses.csv:a.png", "--src-pose", "poses.csv:b.jpg")
    own += ("--src-parsing", "a.npy", "--src-parsing", "b.npy")
    assert generate("a.png", "b.jpg", *own, "--pose", "c.json", "-o", "results") == 0
    assert generate(*BOTH, "--pose", "c.json", "-o", "others") == 0
    for name in ("a__c.png", "b__c.png"):
        assert Path("results", name).read_bytes() == Path("others", name).read_bytes()


def test_sheet_alone(generate, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "c.json", "--sheet", "sheet.png") == 0
    assert capsys.readouterr().out == ""
    assert Path("sheet.png").exists()


def test_given_map(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    weights = write_weights(here / "ha.safetensors", semantic=False)
    assert generate(*ONE, "--pose", "c.json", "--parsing", "a.npy", "-o", "out.png", own=weights) == 0


def test_made_up_joints_are_told_once(generate, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    pose = STANDING.copy()
    pose[8] = np.nan
    write_pose_json("half.json", pose)
    own = ("--src-pose", "half.json", "--src-parsing", "a.npy")
    assert generate("a.png", *own, "--pose", "c.json", "--pose", "poses.csv:a.png", "-o", "results") == 0
    assert capsys.readouterr().err.count("warning: half.json: r_hip is missing") == 1


TO = ("--pose", "c.json", "-o", "out.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ONE, "--pose", "c.json"), "-o"),
        ((*ONE, "-o", "out.png"), "--pose"),
        (("none.png", *ONE[1:], *TO), "none.png does not exist"),
        (("a.npy", *ONE[1:], *TO), "a.npy is not an image"),
        (("a.png", *ONE[1:3], *TO, "--parser", "x"), "there is no annotator 'x'; choose one of pgen, segformer"),
        (("b.jpg", *ONE[1:], *TO), "a.npy has 128x128 pixels (height x width), not the shape of b.jpg (128x64)"),
        ((*ONE, "--pose", "poses.csv", "-o", "out.png"), "poses.csv has 2 poses; name one of them"),
        ((*ONE, "--pose", "poses.csv:bb.jpg", "-o", "out.png"), "poses.csv has no 'bb.jpg'; did you mean b.jpg"),
        ((*ONE, *TO, "--gif", "x.png"), "x.png: name it x.gif (--gif)"),
        ((*BOTH, "--pose", "c.json", "--gif", "x.gif"), "x.gif: an animation is of one photo; give one SRC (--gif)"),
        ((*ONE, "--pose", "c.json", "poses.csv", "-o", "out.png"), "give --pose once for each target"),
        (
            (*ONE, "--pose", "c.json", "-o", "out.gif"),
            "out.gif: pictures are written as PNG, JPEG or WebP; name it out",
        ),
        ((*ONE, *TO, "--sheet", "sheet.gif"), "or sheet.webp (--sheet)"),
        ((*ONE, *TO, "--sheet", "./out.png"), "are one file"),
        ((*ONE, "--pose", "c.json", "-o", "a.png"), "a.png is read here"),
        ((*ONE, *TO, "--sheet", "b.png", "--device", "cuda:9"), "(--device)"),
        ((*BOTH, *TO), "out.png is one file, and there will be 2 results; name a folder (--out)"),
        ((*BOTH[:4], "--src-parsing", "a.npy", "--pose", "c.json", "-o", "d"), "a.npy has 128x128"),
        ((*ONE, "--src-pose", "c.json", "--src-pose", "c.json", *TO), "--src-pose is given 3 times for 1 photos"),
        (
            ("a.png", "--src-pose", "poses.csv", "--src-parsing", "maps", *TO),
            "maps: the folder has no map a (.npy, .png, _parsing.png, .mat) (--src-parsing)",
        ),
        ((*ONE, *TO, "--parsing", "b.npy"), "b.npy has 128x64"),
        ((*ONE, "--pose", "c.json", "-o", "none/out.png"), "none"),
    ],
)
def test_refused(generate, here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple, message: str) -> None:  # type: ignore[no-untyped-def]
    (here / "maps").mkdir()
    with nothing_left_in(here):
        assert generate(*arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "-"), "not written to standard output; name a file or folder (--out)"),
        (("-o", "x.bmp"), "name it x.png, x.jpg or x.webp (--out)"),
        (("-o", "x.png", "--pose", "wave"), "x.png is one file, and there will be 2 results; name a folder (--out)"),
        (("-o", "no/folder"), "there is no folder"),
        (("-o", "results"), "a__walk.png exists already"),
        (("-o", "new", "--background", "orangish"), "is no file and no color"),
    ],
)
def test_outputs_are_refused_before_any_work(  # type: ignore[no-untyped-def]
    generate, here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple, message: str
) -> None:
    (here / "results").mkdir()
    (here / "results" / "a__walk.png").write_bytes(b"mine")
    with nothing_left_in(here):
        assert generate("a.png", "--pose", "walk", *arguments, own=here / "gone.safetensors") == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_weights_without_layouts(generate, here: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    weights = write_weights(here / "ha.safetensors", semantic=False)
    with nothing_left_in(here):
        assert generate(*ONE, *TO, own=weights) == 2
    assert "give the target's parsing map (--parsing)" in capsys.readouterr().err


def test_existing_results(generate, here: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    arguments = (*BOTH, "--pose", "c.json", "-o", "results")
    assert generate(*arguments) == 0
    Path("results/a__c.png").unlink()
    with nothing_left_in(here):
        assert generate(*arguments) == 2
    assert "results/b__c.png exists already" in capsys.readouterr().err
    assert generate(*arguments, "--force") == 0


def test_keeps_going(generate, here: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    Image.new("RGB", (64, 64)).save("damaged.png")
    Path("damaged.png").write_bytes(Path("damaged.png").read_bytes()[:60])
    np.save("damaged.npy", np.zeros((64, 64), np.uint8))
    photos = ("a.png", "damaged.png", "b.jpg", "--src-pose", "poses.csv", "--src-parsing", ".")
    arguments = (*photos, "--pose", "c.json", "--pose", "poses.csv:a.png", "-o", "results")
    with nothing_left_in(here):
        assert generate(*arguments) == 2
    assert generate(*arguments, "--keep-going") == 1
    out, err = capsys.readouterr()
    made = ["results/a__c.png", "results/a__a.png", "results/b__c.png", "results/b__a.png"]
    assert out.splitlines() == made
    assert "damaged.png" in err.splitlines()[-1]
    assert "1 failed; every other result was written" in err
    times = {file: Path(file).stat().st_mtime_ns for file in made}
    Path(made[2]).unlink()
    assert generate(*arguments, "--keep-going") == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [made[2]]
    assert "3 results were there already" in err
    assert "a.png" not in err
    del times[made[2]]
    assert {file: Path(file).stat().st_mtime_ns for file in times} == times


@pytest.mark.parametrize("options", [("--force",), ("--sheet", "s.png"), ("--gif", "g.gif")])
def test_keeps_nothing_that_is_needed(generate, here: Path, options: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    assert generate(*ONE, "--pose", "c.json", "-o", "results", "--keep-going", *options) == 2
    assert not Path("results").exists()


def test_a_failure_costs_nothing_else(  # type: ignore[no-untyped-def]
    generate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    render = Renderer.render

    def fail(
        self: Renderer, framed: FramedPerson, targets: Sequence[Target], *rest: Any, **more: Any
    ) -> Iterator[Result]:
        for result in render(self, framed, targets, *rest, **more):
            yield result
            if framed.person.name == "a.png":
                raise RuntimeError("out of\nluck")

    monkeypatch.setattr(Renderer, "render", fail)
    arguments = (*BOTH, "--pose", "c.json", "--pose", "poses.csv:a.png", "-o", "results", "--sheet", "sheet.png")
    assert generate(*arguments) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["results/a__c.png", "results/b__c.png", "results/b__a.png"]
    assert err.splitlines()[-1] == "error: a.png, 1 results: out of luck (1 failed; every other result was written)"
    assert Path("sheet.png").exists()


def test_a_file_that_cannot_be_written_costs_nothing_else(  # type: ignore[no-untyped-def]
    generate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = Result.save

    def fail(self: Result, path: Path, overwrite: bool = False, paste: bool = False) -> Path:
        if self.person.name == "a.png":
            raise PgenError(f"{path} could not be written: no space left on the disk")
        return save(self, path, overwrite)

    monkeypatch.setattr(Result, "save", fail)
    assert generate(*BOTH, "--pose", "c.json", "-o", "results") == 1
    out, err = capsys.readouterr()
    assert out == "results/b__c.png\n"
    assert "results/a__c.png could not be written: no space left" in err


@pytest.mark.parametrize(
    ("output", "link"),
    [("a.png", None), ("poses.csv", None), ("l.png", os.symlink), ("h.png", os.link), ("w.png", None)],
)
def test_what_is_read_is_not_written(  # type: ignore[no-untyped-def]
    generate, here: Path, weights: Path, output: str, link, capsys: pytest.CaptureFixture[str]
) -> None:
    """The photo, also by a link, the poses, or the weights."""
    if link is not None:
        link(here / "a.png", output)
    own = shutil.copy(weights, "w.png") if output == "w.png" else weights
    before = Path(output).read_bytes()
    for flag in ("-o", "--sheet"):
        assert generate(*ONE, "--pose", "poses.csv:b.jpg", flag, output, "--force", own=own) == 2
    assert Path(output).read_bytes() == before
    assert capsys.readouterr().err.count("error: ") == 2


def test_results_in_a_folder_do_not_replace_what_is_read(generate, here: Path) -> None:  # type: ignore[no-untyped-def]
    Path("out").mkdir()
    Path("a.npy").rename("out/a__b.png")
    before = Path("out/a__b.png").read_bytes()
    given = ("a.png", "--src-pose", "poses.csv", "--src-parsing", "out/a__b.png")
    assert generate(*given, "--pose", "poses.csv:b.jpg", "-o", "out", "--force") == 2
    assert Path("out/a__b.png").read_bytes() == before
