from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import pgen
from pgen.cli.main import main
from pgen.data.example import Drop
from pgen.data.packing import entry_to_bytes
from pgen.data.store import Store
from pgen.runtime.resumable_map import ResumableMap
from tests.data.examples import STANDING, nothing_left_in, write_folder
from tests.data.interruptible import contents
from tests.data.pose_files import write_people, write_pose_csv


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(*arguments: object) -> int:
    return main(["prepare", "--dataset", *map(str, arguments)])


def test_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    (here / "mine/parsing/c.npy").unlink()
    assert prepare("folder", "--root", "mine", "--size", "64x32", "--workers", 1) == 0
    out, err = capsys.readouterr()
    for fact in ("photos kept", "2", "dropped: no parsing map", "pairs for testing", "64x32", "seconds"):
        assert fact in out
    assert err == "warning: 1 photos were dropped; datasets/mine.dropped.csv lists them\n"
    store = Store("datasets/mine.h5")
    assert (store.names, store.size) == (["a.png", "b.png"], (64, 32))
    assert store.provenance["options"] == {"size": [64, 32], "seed": 0, "root": "mine"}


def test_which_of_several_people_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    (here / "mine/keypoints.csv").unlink()
    write_people(here / "poses", {"a": (0.4, 0.9), "b": (0.9,), "c": (0.9, 0.2)})
    assert prepare("folder", "--root", "mine", "--keypoints", "poses", "--size", "64", "--workers", 1) == 0
    out, err = capsys.readouterr()
    assert re.search("kept, one of several people *│ 2", out)
    assert "warning: 2 photos have several people: the one who is large and sure is taken" in err
    rows = Path("datasets/mine.doubts.csv").read_text().splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [[name, "one of several people"] for name in ("a.png", "c.png")]
    assert "2 people, number 1 is taken" in rows[0]
    assert "2 people, number 0 is taken" in rows[1]


def test_dropped_pairs_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    (here / "mine/parsing/b.npy").unlink()
    assert prepare("folder", "--root", "mine", "--out", "a.h5", "--workers", 1) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert "warning: 1 pairs lack a photo and were left out" in warnings[-1]


def test_result_is_kept_unless_forced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    arguments = ("folder", "--root", "mine", "-o", "a.h5", "--workers", 1)
    assert prepare(*arguments) == 0
    with nothing_left_in(here):
        assert prepare(*arguments) == 2
    assert "a.h5 exists already" in capsys.readouterr().err
    assert prepare(*arguments, "--force", "--size", 32) == 0
    assert Store("a.h5").size == (32, 32)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["folder"], "the data set 'folder' needs the root folder of its photos (--root)"),
        (["folder", "--root", "gone"], "gone is not a folder; give the folder of the data set (--root)"),
        (["market1501", "--people", "3"], "people belongs to folder, synthetic, not to market1501 (--people)"),
        (
            ["synthetic", "--frame", "256"],
            "folder, not to synthetic (--frame)",
        ),
        (
            ["synthetic", "--people", "3", "--test-people", "4"],
            "are more than all, 3 (--test-people)",
        ),
        (["folder", "--root", "mine", "--size", "big"], "--size 'big' is not a size"),
        (["folder", "--root", "mine", "--frame", "64"], "keypoints.csv: 100% of the poses"),
        (["folder", "--root", "mine", "--out", "no/a.h5"], "there is no folder"),
    ],
)
def test_wrong_input_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    write_folder(here / "mine")
    (here / "datasets").mkdir()
    with nothing_left_in(here):
        assert prepare(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1


def test_folder_of_nothing_useful(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    headless = STANDING.copy()
    headless[[8, 11]] = np.nan
    write_pose_csv(here / "mine/keypoints.csv", dict.fromkeys(("a.png", "b.png", "c.png"), headless))
    with nothing_left_in(here):
        assert prepare("folder", "--root", "mine", "--out", "a.h5", "--workers", 1) == 2
    assert "none of 3 photos can be used: 3 × torso joints missing" in capsys.readouterr().err


def test_synthetic(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("synthetic", "--people", 3, "--poses", 2, "--test-people", 1, "--size", 64, "--seed", 5)
    assert prepare(*arguments, "--workers", 1, "-o", "one.h5") == 0
    assert prepare(*arguments, "--workers", 2, "-o", "two.h5") == 0
    assert "photos kept" in capsys.readouterr().out
    one, two = Store("one.h5"), Store("two.h5")
    assert one.names == two.names
    assert len(one) <= 6
    tested = set(np.array(one.persons)[one.indices("test")])
    assert len(tested) == 1
    assert tested.isdisjoint(np.array(one.persons)[one.indices("train")])
    for index in range(len(one)):
        np.testing.assert_array_equal(one.image(index), two.image(index))
    assert one.pairs("test").tolist() == two.pairs("test").tolist() == [[4, 5], [5, 4]]


@pytest.fixture
def begin(here: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command in a process group of its own, which is gone after the test."""
    started = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        program = "import sys; from pgen.cli.main import main; sys.exit(main())"
        command = [sys.executable, "-c", program, "prepare", "--dataset", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(Path(pgen.__file__).parents[1])}  # this package, not another
        started.append(
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment)
        )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)


def wait_for(ready: Callable[[], bool]) -> None:
    for _ in range(1200):
        if ready():
            return
        time.sleep(0.05)
    pytest.fail("it did not get so far")


def is_working() -> bool:
    """Whether some photos are finished; SQLite writes them to its log first."""
    written = Path("a.h5.part-wal")
    return written.exists() and written.stat().st_size > 100_000


SLOW = ("synthetic", "--size", 64, "--people", 5000, "-o", "a.h5", "--workers")
ENDS = [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "")]


@pytest.mark.parametrize(("number", "code", "said"), ENDS[1:])
def test_interruption_before_anything_is_finished_leaves_nothing(
    here: Path, begin: Callable[..., subprocess.Popen[str]], number: signal.Signals, code: int, said: str
) -> None:
    process = begin(*SLOW, 1)
    wait_for(lambda: bool(list(here.iterdir())))
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    assert process.communicate(timeout=60)[1].endswith(said)
    assert process.returncode == code
    assert {path.name for path in here.iterdir()} <= {"a.h5.part"}  # a photo may have been


@pytest.mark.parametrize(("number", "code", "said"), ENDS[:1])
def test_interruption_keeps_what_is_finished(
    here: Path, begin: Callable[..., subprocess.Popen[str]], number: signal.Signals, code: int, said: str
) -> None:
    process = begin(*SLOW, 2)
    wait_for(is_working)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    hint = "a.h5.part keeps what is finished; the same command goes on from there\n"
    assert process.communicate(timeout=60)[1] == hint + said
    assert process.returncode == code
    assert [path.name for path in here.iterdir()] == ["a.h5.part"]


def test_killed_and_resumed(
    here: Path, begin: Callable[..., subprocess.Popen[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = tuple(f"{index:04}.png" for index in range(120))
    write_folder(here / "mine", names)
    arguments = ("folder", "--root", "mine", "-o", "a.h5", "--workers", 2, "--size", 128)
    process = begin(*arguments)
    wait_for(is_working)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert not Path("a.h5").exists()
    assert prepare(*arguments, "--size", 64) == 2
    error = "error: a.h5.part holds unfinished work that was begun with size [128, 128], not [64, 64]: "
    assert capsys.readouterr().err == error + "give the same again to go on, or start anew (--no-resume)\n"
    arguments = (*arguments[:5], "--workers", 1, "--size", 128)  # whoever goes on with it
    assert prepare(*arguments) == 0
    assert "done before the interruption" in capsys.readouterr().out
    assert prepare(*arguments[:4], "b.h5", *arguments[5:]) == 0
    assert "done before the interruption" not in capsys.readouterr().out
    assert contents(Path("a.h5")) == contents(Path("b.h5"))
    assert sorted(path.name for path in here.iterdir()) == ["a.h5", "b.h5", "mine"]


def test_not_resumed_if_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "mine")
    arguments = ("folder", "--root", "mine", "-o", "a.h5", "--workers", 1)
    assert prepare(*arguments) == 0
    with ResumableMap(Path("b.h5.part")) as partial:
        partial.begin({"created": "", "size": [1, 1]})
        partial.put({"0 x": entry_to_bytes(Drop("a", "b"))})
    assert prepare(*arguments[:3], "-o", "b.h5", "--workers", 1) == 2
    assert "start anew (--no-resume)" in capsys.readouterr().err
    assert prepare(*arguments[:3], "-o", "b.h5", "--workers", 1, "--no-resume") == 0
    assert contents(Path("a.h5")) == contents(Path("b.h5"))
