from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.cli.main import main
from pgen.evaluation.photos import Pair
from pgen.evaluation.run import draw_pairs_per_person
from tests.data.examples import nothing_left_in, write_store
from tests.data.pose_files import write_people
from tests.evaluation.folders import PAIRS, photo, write_list, write_photos, write_results
from tests.inference.tiny import write_weights

FEW = ("--metrics", "ssim,l1,miou", "--offline", "--workers", "1")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store, weights, true photos and results of another system."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_store(tmp_path / "s.h5")
    write_weights(tmp_path / "tiny.safetensors")
    write_photos(tmp_path / "true")
    write_results(tmp_path / "results", "patn")
    write_list(tmp_path / "pairs.csv")
    return tmp_path


def evaluate(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


THEIRS = ("--generated", "results", "--targets", "true")


def test_networks_and_baselines_in_one_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    systems = ("--weights", "tiny.safetensors", "--weights", "again=tiny.safetensors", "--baseline", "copy-source")
    more = ("--baseline", "affine-paste", "--html", "page.html", "--markdown", "table.md", "--protocols")
    assert evaluate("--data", "s.h5", *systems, *more, *FEW) == 0
    out, err = capsys.readouterr()
    assert all(name in out for name in ("tiny", "again", "copy-source", "affine-paste", "ssim-legacy", "miou"))
    assert "data range = max − min" in " ".join(re.sub("[│┃]", " ", out).split())
    assert "miou (affine-paste): not computed: this method predicts no parsing maps" in out
    assert err.endswith("\nwrote table.md\nwrote page.html\n")
    assert "warning: tiny: the intervals rest on few people (1)" in err
    rows = [line for line in Path("table.md").read_text().splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == ["| tiny", "| again", "| copy-source", "| affine-paste"]
    assert rows[1].split(" | ")[1:] == rows[2].split(" | ")[1:]
    page = Path("page.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 + 4  # the only pair is each one's best and worst
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") >= 4


def test_which_of_several_people_is_scored(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_people(here / "poses", {"a_1_front": (0.9,), "b__x": (0.3, 0.9)}, 0.37)
    assert evaluate(*THEIRS, "--keypoints", "poses", "--metrics", "mask-ssim", *FEW[2:]) == 0
    err = capsys.readouterr().err
    assert "1 photos have keypoints of several people, one is taken: b__x.png: 2 people, number 1 is taken" in err


def test_json_says_what_each_score_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--data", "s.h5", "--weights", "tiny.safetensors", "--json", *FEW) == 0
    data = json.loads(capsys.readouterr().out)
    (system,) = data["systems"]
    assert system["name"] == "tiny"
    assert len(system["about"]["hash"]) == 32
    assert {score["name"] for score in system["scores"]} == {"ssim-legacy", "l1", "miou"}
    assert all(
        score["protocol"] and score["pairs"] == 1 and len(score["pairs_hash"]) == 32 for score in system["scores"]
    )


def test_run_folders_are_named_by_themselves(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("baseline", "ts-gt"):
        Path("runs", name).mkdir(parents=True)
        write_weights(Path("runs", name, "weights.safetensors"))
    assert evaluate("--data", "s.h5", "--weights", "runs/baseline", "--weights", "runs/ts-gt/", "--json", *FEW) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["systems"]] == ["baseline", "ts-gt"]
    assert evaluate("--data", "s.h5", "--weights", "runs/ts-gt", "--weights", "runs/ts-gt", *FEW) == 2
    assert "two methods are called ts-gt; name them: NAME=PATH (--weights)" in capsys.readouterr().err


def test_predicted_and_true_maps_in_one_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    systems = ("--weights", "tiny.safetensors", "--maps", "true,predicted", "--baseline", "label-paste-predicted")
    assert evaluate("--data", "s.h5", *systems, "--json", *FEW) == 0
    found = json.loads(capsys.readouterr().out)["systems"]
    assert [one["name"] for one in found] == ["tiny with true maps", "tiny", "label-paste-predicted"]
    assert [one["about"]["maps"] for one in found] == ["true", "predicted", "tiny.safetensors"]


def test_few_pairs_of_each_person(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Known:
        where = "there"

        def person(self, name: str) -> str | None:
            return name[0] if name != "?" else None

    pairs = [Pair(None, f"{person}{k}") for k in range(20) for person in "cab"]
    few = draw_pairs_per_person(pairs, Known(), 2, seed=0)  # type: ignore[arg-type]
    assert sorted(pair.target[0] for pair in few) == list("aabbcc")
    assert few == sorted(few, key=pairs.index)
    assert few == draw_pairs_per_person(pairs, Known(), 2, seed=0)  # type: ignore[arg-type]
    assert few != draw_pairs_per_person(pairs, Known(), 2, seed=1)  # type: ignore[arg-type]
    assert draw_pairs_per_person(pairs, Known(), 99, seed=0) == pairs  # type: ignore[arg-type]
    assert evaluate("--data", "s.h5", "--baseline", "copy-source", "--per-person", "1", "--json", *FEW) == 0
    assert json.loads(capsys.readouterr().out)["systems"][0]["pairs"] == 1
    assert evaluate(*THEIRS, "--per-person", "1", *FEW) == 2
    assert "true does not tell who is in a photo" in capsys.readouterr().err


def test_results_of_another_system(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(*THEIRS, "--pairs", "pairs.csv", "--json", *FEW) == 0
    out, err = capsys.readouterr()
    assert "layout patn" in err
    (system,) = json.loads(out)["systems"]
    assert system["pairs"] == len(PAIRS)
    assert system["about"]["layout"] == "patn, panel 5 of 5"
    assert [score["name"] for score in system["scores"]] == ["ssim-legacy", "l1"]
    assert 0.02 < system["scores"][1]["value"] < 0.2


def test_what_is_wrong_with_results_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(Path("results").iterdir())
    files[0].unlink()
    Image.open(files[1]).save(files[1].with_suffix(".jpg"), quality=95)
    files[1].unlink()
    Image.fromarray(photo("x", (64, 100))).save(files[2])
    Image.fromarray(photo("x", (64, 240))).save("results/who___knows_vis.png")
    assert evaluate(*THEIRS, "--pairs", "pairs.csv", "--layout", "patn", *FEW) == 0
    err = capsys.readouterr().err
    assert re.search(r"warning: 1 pairs have no result: \S+ → \S+\n", err)
    assert re.search(r"warning: 1 files belong to no pair: who___knows_vis\.png\n", err)
    assert re.search(r"1 of 3 results are JPEG, such as ", err)
    assert "wrong size: 64x20, and the target has 64x48" in err


def test_a_swapped_panel_order_is_an_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in Path("results").iterdir():
        panels = np.split(np.asarray(Image.open(path)), 5, axis=1)
        Image.fromarray(np.hstack([*panels[:2], panels[4], panels[3], panels[2]])).save(path)
    assert evaluate(*THEIRS, *FEW) == 2
    assert "panels are in another order" in capsys.readouterr().err
    assert evaluate(*THEIRS, "--panel", "3", *FEW) == 0


def test_a_detector_whose_training_has_no_weights_yet_is_not_taken(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("runs/pose").mkdir(parents=True)
    what = (*THEIRS, "--keypoints", "keypoints.csv", "--metrics", "pckh,l1", *FEW[2:])
    assert evaluate(*what) == 0
    out, err = capsys.readouterr()
    assert "pckh: not computed: there is no pose detector" in out
    assert "runs/pose" not in err
    assert evaluate(*what, "--detector", "runs/pose") == 2


def test_a_second_run_measures_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate("--data", "s.h5", "--weights", "tiny.safetensors", "--json", *FEW) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr("pgen.evaluation.network_methods.NetworksMethod.predict_many", None)
    assert evaluate("--data", "s.h5", "--weights", "tiny.safetensors", "--json", *FEW) == 0
    assert capsys.readouterr().out == first
    assert evaluate("--data", "s.h5", "--weights", "tiny.safetensors", "--no-cache", *FEW) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "(--data)"),
        (("--data", "s.h5", "--targets", "true"), "(--data)"),
        (("--data", "s.h5", "--metrics", "beauty"), "(--metrics)"),
        (("--data", "s.h5", "--metrics", " ,"), "(--metrics)"),
        (("--data", "s.h5", "--against", ","), "(--against)"),
        (("--data", "s.h5", "--protocol", "best"), "(--protocol)"),
        (("--data", "s.h5", "--against", "all"), "(--against)"),
        (("--data", "s.h5", "--maps", "drawn"), "(--maps)"),
        (("--data", "s.h5", "--baseline", "magic"), "(--baseline)"),
        (("--data", "none.h5"), "none.h5 does not exist"),
        (("--data", "s.h5", "--weights", "none.safetensors"), "none.safetensors"),
        (("--targets", "true"), "(--generated)"),
        (("--targets", "true", "--pairs", "pairs.csv", "--weights", "tiny.safetensors"), "parsing maps"),
        ((*THEIRS, "--layout", "unknown"), "(--layout)"),
        (("--generated", "nowhere", "--targets", "true"), "(--generated)"),
        ((*THEIRS, "--html", "true"), "is a folder"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nothing_left_in(here):
        assert evaluate(*arguments, *(() if "--metrics" in arguments else FEW), "--no-cache") == 2
    err = capsys.readouterr().err.splitlines()
    assert message in err[-1]
    assert err[-1].startswith("error: ")


def test_outputs_are_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("page.html").write_text("mine")
    assert evaluate(*THEIRS, "--html", "page.html", *FEW) == 2
    assert Path("page.html").read_text() == "mine"
    assert evaluate(*THEIRS, "--html", "page.html", "--force", *FEW) == 0
    assert "<h2>Scores</h2>" in Path("page.html").read_text()


def test_no_page_is_written_over_another(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_left_in(here):
        assert evaluate(*THEIRS, "--html", "page", "--markdown", "./page", "--force", *FEW) == 2
        assert "are one file" in capsys.readouterr().err
        assert evaluate(*THEIRS, "--sheet", "pairs.txt", *FEW) == 2
        assert "pairs.png" in capsys.readouterr().err
    assert evaluate(*THEIRS, "--sheet", "pairs.jpg", *FEW) == 0
    assert Image.open("pairs.jpg").format == "JPEG"


@pytest.mark.parametrize("output", ["true/000.png", "s.h5", "tiny.safetensors"])
def test_what_is_scored_is_not_overwritten(here: Path, output: str) -> None:
    output = output if Path(output).exists() else str(next(Path("true").rglob("*.*")))
    before = Path(output).read_bytes()
    what = THEIRS if output.startswith("true") else ("--data", "s.h5", "--weights", "name=tiny.safetensors")
    assert evaluate(*what, "--sheet", output, "--force", *FEW) == 2
    assert Path(output).read_bytes() == before


def test_how_scores_were_computed_is_printed_on_request(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--data", "s.h5", "--baseline", "copy-source", *FEW) == 0
    assert "how they were computed" not in capsys.readouterr().out
    assert evaluate("--data", "s.h5", "--baseline", "copy-source", "--protocols", *FEW) == 0
    assert "how they were computed" in capsys.readouterr().out


def test_a_default_cache_that_cannot_be_used_is_left_out(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    (here / "cache/pgen").mkdir(parents=True)
    (here / "cache/pgen/scores.sqlite").write_text("{")
    arguments = [argument for argument in FEW if argument != "--no-cache"]
    if "--cache" in arguments:
        del arguments[arguments.index("--cache") : arguments.index("--cache") + 2]
    assert evaluate("--data", "s.h5", "--baseline", "copy-source", *arguments) == 0
    assert "warning: scores cannot be kept:" in capsys.readouterr().err
    assert (here / "cache/pgen/scores.sqlite").read_text() == "{"
    assert evaluate("--data", "s.h5", "--baseline", "copy-source", "--cache", "cache/pgen/scores.sqlite") == 2


def test_without_pairs_people_are_to_be_given(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--unpaired", *FEW) == 2
    assert "--photos" in capsys.readouterr().err
    assert evaluate("--unpaired", "--data", "s.h5", "--pose", "nowhere.json", *FEW) == 2
    assert "--pose" in capsys.readouterr().err
    assert evaluate("--unpaired", "--data", "s.h5", "--targets", "true", *FEW) == 2
    assert "(--targets)" in capsys.readouterr().err
