"""``pgen prepare`` of data sets on disk: the standard trees, and damage in any of their files."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pgen.cli.main import main
from pgen.data.store import Store
from tests.data.deepfashion_trees import low_resolution
from tests.data.examples import nothing_left_in, write_folder
from tests.data.market_tree import SHOTS, write_market
from tests.data.trees import in_scheme, pairs_of, shots, write_map, write_pairs


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(*arguments: object) -> int:
    return main(["prepare", "--dataset", *map(str, arguments), "--workers", "1"])


def test_deepfashion_needs_no_other_flag(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    low_resolution(here / "datasets/deepfashion")
    assert prepare("deepfashion") == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "parsing maps are taken to have the labels of spt10; say if they follow another scheme",
        "keypoints are taken to refer to 256x256, as people stand in its middle",
    ]
    assert "pairs for testing" in out
    store = Store("datasets/deepfashion.h5")
    assert (len(store), store.size) == (len(shots()), (256, 256))
    assert len(store.pairs("test")) == len(pairs_of(lambda shot: shot.flat, shots()))
    assert store.provenance["source"] == "deepfashion datasets/deepfashion"


def test_market1501_needs_no_other_flag(here: Path) -> None:
    write_market(here / "datasets/market1501")
    assert prepare("market1501") == 0
    store = Store("datasets/market1501.h5")
    assert (len(store), store.size) == (len(SHOTS), (128, 64))


@pytest.mark.parametrize("dataset", ["market1501", "deepfashion"])
def test_half_of_a_data_set_with_its_whole_lists(here: Path, capsys: pytest.CaptureFixture[str], dataset: str) -> None:
    root, is_market = here / "datasets" / dataset, dataset == "market1501"
    (write_market if is_market else low_resolution)(root)
    every = SHOTS if is_market else shots()
    tested = [shot for shot in every if shot.tested]
    gone = [*[shot for shot in every if not shot.tested][::2], *tested[:3]]  # of three people all, one, and none
    for shot in gone:
        next(root.rglob(shot.market if is_market else shot.nested)).unlink()
    assert prepare(dataset) == 0
    out, err = capsys.readouterr()
    assert "photos were dropped" not in err
    assert "dropped:" not in out
    assert "left out: pair with a photo that is not there" in out
    assert f"warning: 4 pairs lack a photo and were left out; datasets/{dataset}.dropped.csv lists them" in err
    with Path(f"datasets/{dataset}.dropped.csv").open(newline="") as file:
        reasons = Counter(row["reason"] for row in csv.DictReader(file))
    assert reasons == {"row of keypoints without a photo": len(gone), "pair with a photo that is not there": 4}
    store = Store(f"datasets/{dataset}.h5")
    assert (len(store), len(store.pairs("test"))) == (len(every) - len(gone), 2)
    with nothing_left_in(here):
        assert prepare(dataset, "--strict", "--force") == 2
    assert capsys.readouterr().err.endswith("; no photo may be dropped (--strict)\n")
    arguments = ["--data", store.path, "--baseline", "copy-source", "--metrics", "ssim,mask-ssim"]
    assert main(["evaluate", *map(str, arguments), "--offline", "--no-cache", "--workers", "1"]) == 0
    assert "mask-ssim-legacy" in capsys.readouterr().out


def test_flags(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Maps of another scheme elsewhere, by a table of the user's; pairs in two lists; two keypoint files."""
    write_market(here / "mine")
    for shot in SHOTS:
        write_map(here / "maps" / f"{shot.market}.png", in_scheme(shot.example.parsing, "cihp20"))
    (here / "own.toml").write_text('extends = "cihp20"\n[labels]\n2 = ["hair", "background"]\n')
    pairs = pairs_of(lambda shot: shot.market, SHOTS)[:3]
    for index, name in enumerate(("s.txt", "t.txt")):
        (here / name).write_bytes("\r\n".join(pair[index] for pair in pairs).encode())
    tables = [f"mine/market-annotation-{split}.csv" for split in ("train", "test")]
    arguments = [
        "market1501",
        "--root",
        "mine",
        "--parsing",
        "maps",
        "--pairs",
        "s.txt",
        "--pairs",
        "t.txt",
        "-o",
        "a.h5",
    ]
    arguments += ["--parsing-scheme", "own.toml", "--keypoints", tables[0], "--keypoints", tables[1]]
    assert prepare(*arguments) == 0, capsys.readouterr().err
    store = Store("a.h5")
    assert [(store.names[a], store.names[b]) for a, b in store.pairs("test")] == pairs
    for shot in SHOTS:
        expected = np.where(shot.example.parsing == 2, 0, shot.example.parsing)
        np.testing.assert_array_equal(store.parsing(store.find(shot.market)), expected)
    options = store.provenance["options"]
    assert (options["parsing_scheme"], options["pairs"], options["keypoints"]) == (
        "own.toml",
        ["s.txt", "t.txt"],
        tables,
    )


def test_strict_makes_drops_an_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_market(here / "datasets/market1501")
    (here / "datasets/market1501/parsing" / SHOTS[0].market.replace(".jpg", ".npy")).unlink()
    with nothing_left_in(here):
        assert prepare("market1501", "--strict") == 2
    err = capsys.readouterr().err
    assert err.endswith(f"error: {SHOTS[0].market}: no parsing map; no photo may be dropped (--strict)\n")
    assert prepare("market1501") == 0
    with Path("datasets/market1501.dropped.csv").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [[SHOTS[0].market, "no parsing map", ""]]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["deepfashion"], "datasets/deepfashion is not a folder; put DeepFashion there (photos in img/"),
        (["market1501"], "datasets/market1501 is not a folder; put Market-1501 there, or name its folder (--root)"),
        (["market1501", "--images", "img"], "images belongs to deepfashion, folder, not to market1501 (--images)"),
        (["synthetic", "--parsing-scheme", "lip20"], "not to synthetic (--parsing-scheme)"),
        (["synthetic", "--keypoints", "a.csv"], "not to synthetic (--keypoints)"),
        (["folder", "--root", "mine", "--parsing-scheme", "lip"], "the parsing scheme lip is neither adgan8, atr18,"),
        (["folder", "--root", "mine", "--pairs", "a", "--pairs", "b", "--pairs", "c"], "of the targets (--pairs)"),
        (["folder", "--root", "mine", "--parsing-scheme", "own.toml"], "own.toml does not exist"),
        (["folder", "--root", "mine", "--images", "other"], "mine/other has no photos"),
    ],
)
def test_wrong_flags(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    write_folder(here / "mine")
    (here / "datasets").mkdir()
    with nothing_left_in(here):
        assert prepare(*arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1


def test_damage_in_any_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ends in one line that names what is wrong, or in a drop, and never in a wrong store."""
    root = here / "datasets/market1501"
    write_market(root)
    rng = np.random.default_rng(0)
    tables = [path for path in root.iterdir() if path.is_file()]
    photos = [root / ("bounding_box_test" if shot.tested else "bounding_box_train") / shot.market for shot in SHOTS[:2]]
    maps = [root / "parsing" / shot.market.replace(".jpg", ".npy") for shot in SHOTS[:2]]
    arguments = ("market1501", "-o", "a.h5", "--force")
    assert prepare(*arguments) == 0
    whole = Store("a.h5")
    Path("a.h5").unlink()
    capsys.readouterr()
    for path in (*tables, *photos, *maps):
        data = path.read_bytes()
        for damaged in (b"", data[: len(data) // 2], rng.bytes(len(data)), data[:40] + rng.bytes(40) + data[80:]):
            path.write_bytes(damaged)
            code = prepare(*arguments)
            err = capsys.readouterr().err
            assert "Traceback" not in err
            if code == 2:
                assert path.name in err.splitlines()[-1], err
                assert not Path("a.h5").exists()
                continue
            assert code == 0
            store = Store("a.h5")
            for index, name in enumerate(store.names):
                other = whole.find(name)
                np.testing.assert_array_equal(store.poses[index], whole.poses[other])
                assert store.splits[index] == whole.splits[other]
            Path("a.h5").unlink()
        path.write_bytes(data)


def test_pairs_for_training(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DeepFashion's in a CSV, Market-1501's as PIDM has them, the target first; a photo for testing is refused."""
    low_resolution(here / "datasets/deepfashion")
    write_market(here / "datasets/market1501")
    one, other, tested = shots()[0], shots()[1], shots()[-1]
    table = next((here / "datasets/deepfashion").glob("*-pairs-test.csv"))
    table = table.with_name(table.name.replace("-test", "-train"))
    write_pairs(table, [(one.flat, other.flat)])
    (here / "datasets/market1501/train_pairs.txt").write_text(f"{SHOTS[1].market},{SHOTS[0].market}\n")
    for dataset in ("deepfashion", "market1501"):
        assert prepare(dataset) == 0, capsys.readouterr().err
        store = Store(f"datasets/{dataset}.h5")
        ((source, target),) = store.pairs("train").tolist()
        assert store.persons[source] == store.persons[target]
        assert source != target
        assert (store.splits[source], store.splits[target]) == ("train", "train")
        assert store.affines("train").shape == (1, 10, 2, 3)
        assert store.names[source] < store.names[target]
    write_pairs(table, [(one.flat, tested.flat)])
    assert prepare("deepfashion", "-o", "other.h5") == 2
    assert "for training, a photo for testing" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["set/images/a.png", "set/keypoints.csv", "hard.h5"])
def test_the_data_set_is_not_overwritten(here: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "set")
    Path("hard.h5").hardlink_to("set/images/a.png")
    before = Path(output).read_bytes()
    assert prepare("folder", "--root", "set", "--size", "64", "-o", output, "--force") == 2
    assert "choose another name" in capsys.readouterr().err
    assert Path(output).read_bytes() == before


@pytest.mark.parametrize("content", ["photo,person\na,b\n", ""])
def test_a_foreign_list_is_kept(here: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "set")
    Path("o.dropped.csv").write_text(content)
    assert prepare("folder", "--root", "set", "--size", "64", "-o", "o.h5", "--force") == 2
    assert "move it, or choose another output" in capsys.readouterr().err
    assert Path("o.dropped.csv").read_text() == content
