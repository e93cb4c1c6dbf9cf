from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.cli.main import main
from pgen.data.annotators.interface import FoundMap, FoundPerson, ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from pgen.data.formats.keypoints import read_pose
from pgen.data.formats.parsing import read_parsing
from pgen.data.readers import given
from pgen.data.store import Store
from pgen.inference.inputs import read_person
from pgen.inference.predictor import Predictor
from tests.data.annotators.fakes import FakeParser, FakePose
from tests.data.examples import STANDING, example
from tests.data.market_tree import SHOTS, write_market
from tests.inference.tiny import write_weights

A = example(0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("a", "b"):
        Image.fromarray(A.image).save(f"photos/{name}.jpg")
    return tmp_path


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotators that find the same in every photo."""

    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", lambda weights: FakePose([STANDING, STANDING / 2]))
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: FakeParser(A.parsing))


@pytest.mark.usefixtures("faked")
def test_files_to_give_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", "photos", "-o", "out", "--sheet", "sheet.png"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:4] == ["out/a.json", "out/a.png", "out/b.json", "out/b.png"]
    assert "2 people were found, the largest is taken" in err
    loaded = read_pose("out/a.json")
    np.testing.assert_allclose(loaded.pose, STANDING, atol=1e-3)
    assert loaded.frame == A.parsing.shape
    np.testing.assert_array_equal(read_parsing("out/a.png"), A.parsing)
    assert Image.open("out/a.png").mode == "P"
    assert Path("sheet.png").exists()


@pytest.mark.usefixtures("faked")
def test_no_picture_but_a_map_is_written_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(A.image).save("photos/a.png")
    before = Path("photos/a.png").read_bytes()
    assert main(["annotate", "photos/a.jpg", "--force"]) == 2
    assert "photos/a.png is no parsing map, but another picture" in capsys.readouterr().err
    assert Path("photos/a.png").read_bytes() == before
    assert not Path("photos/a.json").exists()
    for _ in range(2):
        assert main(["annotate", "photos/a.jpg", "--force", "-o", "out"]) == 0


@pytest.mark.usefixtures("faked")
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_maps_beside_photos_are_found_in_their_folder(here: Path, name: str) -> None:
    Path("photos/a.jpg").unlink()
    Image.fromarray(A.image).save(f"photos/{name}")
    assert main(["annotate", f"photos/{name}"]) == 0
    assert main(["annotate", f"photos/{name}", "--src-parsing", "photos", "-o", "out"]) == 0
    np.testing.assert_array_equal(read_parsing("out/a.png"), A.parsing)


@pytest.mark.usefixtures("faked")
def test_doubts_are_told(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:

    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: FakeParser(A.parsing, ("it may be all wrong",)))
    weights = write_weights(here / "tiny.safetensors")
    for arguments in (
        ("annotate", "photos/a.jpg", "-o", "out"),
        ("generate", "photos/a.jpg", "--pose", "walk", "-o", "x.png", "--weights", str(weights)),
    ):
        assert main(list(arguments)) == 0
        assert "a.jpg: it may be all wrong" in capsys.readouterr().err


@pytest.mark.usefixtures("faked")
def test_one_kind_and_another_person(here: Path) -> None:
    assert main(["annotate", "photos/a.jpg", "--what", "pose", "--person", "1"]) == 0
    assert sorted(path.name for path in Path("photos").iterdir()) == ["a.jpg", "a.json", "b.jpg"]
    values = json.loads(Path("photos/a.json").read_text())["people"][0]["pose_keypoints_2d"]
    assert values[0] == pytest.approx(STANDING[0, 0] / 2, abs=1e-3)


@pytest.mark.usefixtures("faked")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none",), "none does not exist"),
        ((".", "--what", "hands"), "--what hands: choose"),
        (("photos/a.jpg", "photos/a.jpg", "-o", "out"), "would both be written to"),
        (("photos/a.jpg", "--person", "7"), "no person 7"),
        (("photos/a.jpg", "--pose-annotator", "x"), "no annotator 'x'"),
    ],
)
def test_refused(here: Path, arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_no_parser_no_map(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", "photos", "--parser", "pgen:none.safetensors"]) == 2
    assert "none.safetensors: there is no such file" in capsys.readouterr().err


@pytest.mark.usefixtures("faked")
def test_generate_from_photos_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = write_weights(here / "tiny.safetensors")
    targets = ("--pose", "photos/b.jpg", "--pose", "walk")
    arguments = ("photos/a.jpg", *targets, "-o", "out", "--gif", "out.gif", "--weights", str(weights))
    assert main(["generate", *arguments]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["out/a__b.png", "out/a__walk.png", "out.gif"]
    for told in (
        "b.jpg: pose estimated by fake",
        "a.jpg: pose estimated by fake",
        "a.jpg: parsing map estimated by fake p",
    ):
        assert told in err
    assert Image.open("out.gif").n_frames == 2  # type: ignore[attr-defined]


@pytest.mark.usefixtures("faked")
def test_a_folder_of_frames_becomes_an_animation(here: Path) -> None:
    weights = write_weights(here / "tiny.safetensors")
    arguments = ("photos/a.jpg", "--pose", "photos", "--gif", "out.gif", "--weights", str(weights))
    assert main(["generate", *arguments]) == 0
    assert Path("out.gif").exists()


@pytest.mark.usefixtures("faked")
def test_prepare_estimates_what_is_missing(here: Path) -> None:
    given._annotators.cache_clear()
    assert main(["prepare", "--dataset", "folder", "--root", "photos", "-o", "x.h5", "--annotate", "pose,parsing",
                 "--size", "128", "--workers", "1"]) == 0  # fmt: skip
    given._annotators.cache_clear()
    with Store(here / "x.h5") as store:
        assert list(store.names) == ["a.jpg", "b.jpg"]
        made_by = {name: store.provenance["options"][name] for name in ("pose_annotator", "parser")}
        assert made_by == {"pose_annotator": "mediapipe", "parser": "pgen"}
        np.testing.assert_allclose(store.poses[0], STANDING, atol=1e-3)


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_prepare_takes_annotations_as_they_lie_beside_photos(
    here: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    carried = np.zeros(A.parsing.shape, bool)
    carried[2:9, 2:9] = True
    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", lambda weights: FakePose([A.pose]))
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: FakeParser(A.parsing, carried=carried))
    for name in ("a", "b"):
        Path(f"photos/{name}.jpg").unlink()
        Image.fromarray(A.image).save(f"photos/{name}.{kind}")
    assert main(["annotate", "photos"]) == 0
    assert main(["annotate", "photos", "--force"]) == 0  # what it wrote are no photos
    assert main(["prepare", "--dataset", "folder", "--root", "photos", "-o", "x.h5", "--size", "128"]) == 0
    with Store(here / "x.h5") as store:
        assert list(store.names) == [f"a.{kind}", f"b.{kind}"]
        found = store.example(0)
        np.testing.assert_allclose(found.pose, A.pose, atol=1e-3)
        np.testing.assert_array_equal(found.parsing, A.parsing)
        np.testing.assert_array_equal(found.carried, carried)
        assert store.is_estimated.all()
    map_file = "photos/a.png" if kind == "jpg" else "photos/a_parsing.png"
    read = read_person(f"photos/a.{kind}", "photos/a.json", map_file)
    assert read.carried is not None
    np.testing.assert_array_equal(read.carried, carried)


def test_a_small_person_is_cut_out_and_pasted_back(here: Path) -> None:
    from pgen.inference.predictor import load

    model: Predictor = load(write_weights(here / "tiny.safetensors"), "cpu")
    photo = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    labels = np.zeros((400, 600), np.uint8)
    photo[200:328, 300:428], labels[200:328, 300:428] = A.image, A.parsing
    pose = STANDING + np.array((300, 200))
    person = model.person(photo, pose, labels)
    assert max(person.image.shape) < 250
    np.testing.assert_allclose(person.pose + person.crop.corner, pose, atol=1e-3)
    result = model.generate(person, pose + np.array((4, 0)), retarget="none")
    np.testing.assert_allclose(result.pose + person.crop.corner, pose + np.array((4, 0)), atol=0.01)
    pasted = result.pasted()
    assert pasted.shape == photo.shape
    far = np.ones((400, 600), bool)
    far[150:380, 250:480] = False
    np.testing.assert_array_equal(pasted[far], photo[far])
    assert (pasted[labels > 0] != photo[labels > 0]).any()


def test_poses_are_listed_and_drawn(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poses", "-o", "poses.png"]) == 0
    assert "walk" in capsys.readouterr().out.splitlines()
    assert Image.open("poses.png").width > 500


class Upper:
    """A parser to which everything is clothes."""

    name = "fake"

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        return [FoundMap(np.full(photo.image.shape[:2], 3, np.uint8)) for photo in photos]


@pytest.mark.usefixtures("faked")
def test_prepare_estimates_all_of_market1501(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_market(here / "market")
    for table in here.glob("market/*annotation*.csv"):
        table.unlink()
    shutil.rmtree(here / "market/parsing")
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: Upper())
    given._annotators.cache_clear()
    assert main(["prepare", "--dataset", "market1501", "--root", "market", "-o", "x.h5", "--annotate", "pose,parsing",
                 "--workers", "1"]) == 0  # fmt: skip
    given._annotators.cache_clear()
    with Store(here / "x.h5") as store:
        assert set(store.names) >= {shot.market for shot in SHOTS}
        np.testing.assert_allclose(store.poses[0], STANDING, atol=1e-3)
        assert (store.parsing(0) == 3).all()


@pytest.mark.usefixtures("faked")
def test_a_folder_in_which_nothing_comes_is_not_left(here: Path) -> None:
    Path("photos/a.jpg").write_text("no photo")
    assert main(["annotate", "photos/a.jpg", "-o", "out"]) == 2
    assert not Path("out").exists()
    Path("out").mkdir()
    assert main(["annotate", "photos/a.jpg", "-o", "out"]) == 2
    assert Path("out").is_dir()  # it was there before


class Doubtful(FakePose):
    """Finds somebody who is no person at all in photos as bright as that of b.jpg, and is unsure of all others."""

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        is_likely = image.mean() < 200
        return [replace(one, is_likely=is_likely, doubts=("left or right?",)) for one in super().people(image)]


def test_prepare_lists_doubts_and_drops_what_is_no_person(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given._annotators.cache_clear()
    Image.fromarray(A.image | 240).save("photos/b.jpg")
    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", lambda weights: Doubtful([STANDING]))
    monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: FakeParser(A.parsing))
    asked = ("--annotate", "pose,parsing", "--size", "64x64", "--out", "d.h5", "--workers", "1")
    assert main(["prepare", "--dataset", "folder", "--images", "photos", "--root", ".", *asked]) == 0
    given._annotators.cache_clear()
    with Store("d.h5") as store:
        assert store.names == ["a.jpg"]
        assert "left or right?" in str(store.example(0).attributes)
    dropped, doubts = (Path(f"d.{kind}.csv").read_text() for kind in ("dropped", "doubts"))
    assert "b.jpg" in dropped
    assert "person" in dropped
    assert "a.jpg,doubtful annotation" in doubts
    assert "doubt" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say how much memory was used")
def test_a_large_photo_takes_little_more_memory_than_its_own(tmp_path: Path) -> None:
    Image.new("RGB", (4050, 5760), (90, 120, 150)).save(tmp_path / "large.jpg")
    program = """
from pathlib import Path
from pgen.cli.main import main
from pgen.data.annotators.registry import POSE_ANNOTATORS
from tests.data.annotators.fakes import FakePose
from tests.data.examples import STANDING
POSE_ANNOTATORS["mediapipe"] = lambda weights: FakePose([STANDING * 40])
code = main(["annotate", "large.jpg", "--what", "pose", "--sheet", "sheet.png"])
# Of this process alone: resource.getrusage begins with the memory of the one that has started it.
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(code, int(peak.split()[1]) // 1024)
"""
    found = [Path(__file__).parents[2], *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, found))}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    code, megabytes = map(int, done.stdout.splitlines()[-1].split())
    assert code == 0
    assert megabytes < 900  # 70 of them the photo's, 90 what is looked at; it was 4,400
