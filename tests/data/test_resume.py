"""`prepare` killed, or out of disk, at any moment: what is there can be gone on with, and the result is the same."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import h5py
import numpy as np
import pytest

from pgen.data.example import Drop, Example, Job
from pgen.data.journal import Journal
from pgen.data.prepare import Summary, journal_path, prepare
from pgen.data.store import Store
from pgen.errors import InputError, PgenError
from tests.data.examples import example, nothing_left_in

SIZE = (48, 40)
COUNT = 60


def read(index: int, log: Path) -> Example | Drop:
    """A photo, with a note in ``log`` that it has been read; some cannot be used, and one has another's name."""
    with log.open("a") as file:
        file.write(f"{index}\n")
    time.sleep(0.001)
    if index % 13 == 5:
        return Drop(f"{index:03}.png", "no parsing map", str(index))
    one = example(index, f"p{index // 4}", "test" if index < 24 else "train")
    return replace(one, name="000.png") if index == 17 else one


def jobs(log: Path, count: int = COUNT) -> Iterator[Job]:
    for index in range(count):
        yield Job(f"{index:03}.png", read_job, (index, str(log)))


def read_job(index: int, log: str) -> Example | Drop:
    return read(index, Path(log))


def run(out: Path, **changes: object) -> Summary:
    arguments: dict = {"source": "tests", "options": {"x": 1}, "max_pairs": 30, "seed": 2}
    arguments |= {"train_pairs": [("030.png", "032.png"), ("033.png", "031.png")]} | changes
    examples = arguments.pop("examples", None) or jobs(out.with_suffix(".log"))
    return prepare(examples, out, arguments.pop("size", SIZE), **arguments)


def contents(path: Path) -> dict[str, object]:
    """Everything in a store, but for when it was made."""
    found: dict[str, object] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = (item.dtype.str, item.shape, item.chunks, item[()].tobytes())
        found[f"{name} attributes"] = {key: bytes(value) for key, value in item.attrs.items()}

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        provenance = json.loads(file.attrs["provenance"])
        assert provenance.pop("created")
        found["attributes"] = (provenance, file.attrs["format"], file.attrs["version"])
    return found


def finished_in(partial: Path) -> int:
    """Photos that are finished in ``partial``, as the next run would see it."""
    copy = partial.with_name("copy")
    copy.write_bytes(partial.read_bytes())
    with copy.open("rb") as file:
        header = file.readline()
    with Journal(copy, json.loads(header.partition(b"{")[1] + header.partition(b"{")[2])) as journal:
        finished = len(journal)
    copy.unlink(missing_ok=True)
    return finished


def reads(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """An uninterrupted run's store."""
    out = tmp_path_factory.mktemp("whole") / "a.h5"
    summary = run(out)
    assert (summary.kept, sum(summary.dropped.values()), summary.pairs, summary.resumed) == (54, 6, 30, 0)
    assert sorted(path.name for path in out.parent.iterdir()) == ["a.dropped.csv", "a.h5", "a.log"]
    return {**contents(out), "dropped": out.with_suffix(".dropped.csv").read_bytes()}


def assert_equal(out: Path, expected: dict[str, object]) -> None:
    assert {**contents(out), "dropped": out.with_suffix(".dropped.csv").read_bytes()} == expected
    assert sorted(path.name for path in out.parent.iterdir()) == ["a.dropped.csv", "a.h5", "a.log"]


@pytest.fixture(scope="module")
def children() -> ForkServerContext:
    """Starts processes that have imported everything already, so that they can be killed while they work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pgen.body.batched", "tests.data.test_resume"])
    return context


def run_in_child(out: Path, started: Connection) -> None:
    started.send(None)
    run(out)


def run_and_kill(children: ForkServerContext, out: Path, seconds: float | None) -> None:
    here, there = children.Pipe()
    child = children.Process(target=run_in_child, args=(out, there))
    child.start()
    here.recv()
    if seconds is not None:
        time.sleep(seconds)
        child.kill()
    child.join()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments(
    children: ForkServerContext, tmp_path: Path, expected: dict[str, object], kills: int
) -> None:
    duration = 0.0
    for number in range(2):  # the first warms the server up
        begin = time.perf_counter()
        run_and_kill(children, tmp_path / f"{number}.h5", None)
        duration = time.perf_counter() - begin
    rng = random.Random(kills)
    halfway = 0
    for number in range(kills):
        out = tmp_path / f"{number}" / "a.h5"
        out.parent.mkdir()
        run_and_kill(children, out, (number + rng.random()) / kills * 1.1 * duration)  # one in each part of the run
        log = out.with_suffix(".log")
        log.unlink(missing_ok=True)
        if out.exists():
            Store(out)  # whole
            if journal_path(out).exists():  # killed just before it could be removed
                with pytest.raises(InputError, match="exists already"):
                    run(out)
            log.touch()
        else:
            partial = journal_path(out)
            finished = finished_in(partial) if partial.exists() else 0
            summary = run(out)
            assert summary.resumed == finished
            assert reads(log) == list(range(finished, COUNT))
            log.touch()
            halfway += 0 < finished < COUNT
        assert_equal(out, expected)
    assert halfway or kills < 20


def test_killed_again_and_again(children: ForkServerContext, tmp_path: Path, expected: dict[str, object]) -> None:
    out = tmp_path / "a.h5"
    for _ in range(4):
        run_and_kill(children, out, 0.04)
    if not out.exists():
        run(out)
    read_once = reads(out.with_suffix(".log"))
    assert set(read_once) == set(range(COUNT))
    assert len(read_once) <= COUNT + 4  # the photo that was being read
    assert_equal(out, expected)


def stopping(after: int, error: type[BaseException], log: Path) -> Iterator[Job]:
    for index, job in enumerate(jobs(log)):
        if index == after:
            raise error
        yield job


@pytest.mark.parametrize(
    ("error", "workers"),
    [(KeyboardInterrupt, 1), (KeyboardInterrupt, 2), (SystemExit, 1), (PgenError, 1), (MemoryError, 1)],
)
def test_interruptions_keep_what_is_finished(
    tmp_path: Path, expected: dict[str, object], error: type[BaseException], workers: int
) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(error):
        run(out, examples=stopping(50, error, out.with_suffix(".log")), workers=workers)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".log"] == ["a.h5.part"]
    summary = run(out, workers=workers)
    assert 15 < summary.resumed <= 50
    assert_equal(out, expected)


def test_bad_input_or_nothing_done_leaves_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    for after, error in ((0, KeyboardInterrupt), (10, InputError)):
        with pytest.raises(error):
            run(tmp_path / "a.h5", examples=stopping(after, error, log))
        assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_options_may_be_tuples(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    options = {"size": (1, 2), "more": {"frame": (3, 4)}}
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=stopping(10, KeyboardInterrupt, out.with_suffix(".log")), options=options)
    assert run(out, options=options).resumed == 10


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """An output of which 20 photos are finished."""
    out = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=stopping(20, KeyboardInterrupt, out.with_suffix(".log")))
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"x": 2}}, r"was begun with x 1, not 2: give the same again to go on, or --no-resume"),
        ({"options": {"x": 1, "y": 3}}, r"was begun with y null, not 3"),
        ({"source": "elsewhere"}, r'was begun with source "tests", not "elsewhere"'),
        ({"size": (32, 32)}, r"was begun with size \[48, 40\], not \[32, 32\]"),
    ],
)
def test_other_work_is_refused(begun: Path, expected: dict[str, object], changes: dict, message: str) -> None:
    with nothing_left_in(begun.parent), pytest.raises(InputError, match=message):
        run(begun, **changes)
    assert run(begun, **changes, resume=False).resumed == 0


def test_other_photos_are_refused(begun: Path) -> None:
    log = begun.with_suffix(".log")
    items = list(jobs(log))
    for changed, message in (
        ([*items[:7], *items[8:]], r"since when 008\.png is new or has changed; start anew with --no-resume"),
        ([*items[:3], replace(items[3], arguments=(99, str(log))), *items[4:]], r"003\.png is new or has changed"),
        (items[:12], "photos have gone"),
    ):
        with nothing_left_in(begun.parent), pytest.raises(InputError, match=message):
            run(begun, examples=changed)


def test_changed_files_are_refused(tmp_path: Path) -> None:
    for name in ("photo", "keypoints.csv"):
        (tmp_path / name).write_text("1")

    def examples(stop: bool) -> Iterator[Job]:
        yield Job("a", read_path, (tmp_path / "photo",))
        if stop:
            raise KeyboardInterrupt
        yield Job("b", read_path, (tmp_path / "photo", 1))

    arguments: dict = {"files": [tmp_path / "keypoints.csv"], "root": tmp_path, "train_pairs": ()}
    out = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=examples(True), **arguments)
    (tmp_path / "keypoints.csv").write_text("2")
    with pytest.raises(InputError, match=r"begun with other contents of keypoints\.csv"):
        run(out, examples=examples(False), **arguments)
    (tmp_path / "keypoints.csv").write_text("1")
    (tmp_path / "photo").write_text("22")
    with pytest.raises(InputError, match="a is new or has changed"):
        run(out, examples=examples(False), **arguments)
    run(out, examples=examples(False), resume=False, **arguments)
    store = Store(out)
    assert store.sources(1).keys() == {"photo"}
    assert store.provenance["files"].keys() == {"keypoints.csv"}


def read_path(path: Path, index: int = 0) -> Example:
    return example(index)


def test_resume_not_wanted(begun: Path, expected: dict[str, object]) -> None:
    begun.with_suffix(".log").unlink()
    assert run(begun, resume=False).resumed == 0
    assert reads(begun.with_suffix(".log")) == list(range(COUNT))
    assert_equal(begun, expected)


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def damage_last(data: bytes) -> bytes:
    return data[:-100] + bytes(100)


def damage_middle(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 30 + data[middle + 30 :]


def cut_in_header(data: bytes) -> bytes:
    return data[:40]


@pytest.mark.parametrize("damage", [cut_in_half, damage_last, damage_middle, cut_in_header])
def test_damaged_partial_is_used_as_far_as_it_is_whole(
    begun: Path, expected: dict[str, object], damage: Callable[[bytes], bytes]
) -> None:
    partial = journal_path(begun)
    partial.write_bytes(damage(partial.read_bytes()))
    resumed = run(begun).resumed
    assert resumed in {cut_in_half: range(7, 12), damage_middle: range(7, 12), cut_in_header: [0]}.get(damage, [19])
    assert_equal(begun, expected)


@pytest.mark.parametrize("text", [b"mine\n", b"pgen-prepare 9 {}\n", b"pgen-prepare 1 {\n", b"\x00" * 100])
def test_foreign_partial_is_left_alone(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.h5.part").write_bytes(text)
    for resume in (True, False):
        with nothing_left_in(tmp_path), pytest.raises(InputError, match="in the way"):
            run(tmp_path / "a.h5", resume=resume)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    seen = []

    def second() -> Iterator[Job]:
        yield from jobs(out.with_suffix(".log"), 3)
        with pytest.raises(InputError, match="is being written by another process"):
            run(out)
        seen.append(1)

    run(out, examples=second(), train_pairs=())
    assert seen
    assert len(Store(out)) == 3


def test_what_killed_processes_left_beside_is_removed(tmp_path: Path, expected: dict[str, object]) -> None:
    for name in (".a.0123abcd.part.h5", ".ab.0123abcd.part.h5", ".a.other.part.h5", ".a.0123abcd.part.png"):
        (tmp_path / name).touch()
    run(tmp_path / "a.h5")
    kept = sorted(path.name for path in tmp_path.glob(".*"))
    assert kept == [".a.0123abcd.part.png", ".a.other.part.h5", ".ab.0123abcd.part.h5"]


def test_journal_of_a_whole_store_goes(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "remove", lambda self: None)  # as if killed before
        run(begun)
    assert journal_path(begun).exists()
    with pytest.raises(InputError, match="exists already"):
        run(begun)
    assert not journal_path(begun).exists()


def test_overwriting_goes_on_too(begun: Path, expected: dict[str, object]) -> None:
    begun.write_bytes(b"old")
    with pytest.raises(InputError, match="--force"):
        run(begun)
    assert run(begun, force=True).resumed == 20
    assert_equal(begun, expected)


def run_with_little_disk(out: Path, limit: int, told: Connection) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        run(out)
        told.send("")
    except Exception as error:
        told.send(f"{type(error).__name__}: {error}")


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_full_disk_keeps_what_is_finished(
    children: ForkServerContext, tmp_path: Path, expected: dict[str, object]
) -> None:
    (tmp_path / "whole").mkdir()
    run(tmp_path / "whole/a.h5")
    whole = (tmp_path / "whole/a.h5").stat().st_size
    stages = set()
    for number, limit in enumerate([10, 1000, *(int(whole * part) for part in (0.3, 0.9, 0.97, 0.99, 0.999))]):
        out = tmp_path / f"{number}" / "a.h5"
        out.parent.mkdir()
        here, there = children.Pipe()
        child = children.Process(target=run_with_little_disk, args=(out, limit, there))
        child.start()
        assert here.poll(60)
        message = here.recv()
        child.join()
        assert message.startswith("PgenError: ")
        assert "no space left on the disk" in message
        assert not out.exists()
        left = {path.name for path in out.parent.iterdir()} - {"a.log"}
        assert left <= {"a.h5.part", "a.dropped.csv"}
        finished = finished_in(journal_path(out)) if "a.h5.part" in left else 0
        stages.add("at once" if not finished else "photos" if finished < COUNT else "store")
        assert run(out).resumed == finished
        assert_equal(out, expected)
    assert stages == {"at once", "photos", "store"}


def test_memory_is_not_the_data_s(tmp_path: Path) -> None:
    """Names and numbers of a photo stay in memory, its pixels do not."""
    import tracemalloc

    peaks = []
    for count in (50, 200):
        out = tmp_path / f"{count}.h5"
        tracemalloc.start()
        run(out, examples=jobs(out.with_suffix(".log"), count), train_pairs=(), size=(128, 128), pairs=())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 20 * np.prod((128, 128, 3))
