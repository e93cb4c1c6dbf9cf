"""`prepare` killed, or out of disk, at any moment: what is there can be gone on with, and the result is the same."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from pgen.data.build_store import partial_path
from pgen.data.example import Job
from pgen.data.store import Store
from pgen.errors import InputError
from tests.data.interruptible import COUNT, assert_equal, finished_in, jobs, reads, run, uninterrupted


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """An uninterrupted run's store."""
    return uninterrupted(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def children() -> ForkServerContext:
    """Starts processes that have imported everything already, so that they can be killed while they work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pgen.body.parts", "tests.data.test_killed"])
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
            if partial_path(out).exists():  # killed just before it could be removed
                with pytest.raises(InputError, match="exists already"):
                    run(out)
            log.touch()
        else:
            partial = partial_path(out)
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
    # What is finished takes more space than the store: that only the store does not fit is tried with all finished.
    limits = [(10, 0), (1000, 0), (int(whole * 0.4), 0), (int(whole * 0.9), 10)]
    limits += [(int(whole * part), COUNT) for part in (0.5, 0.97, 0.999)]
    for number, (limit, before) in enumerate(limits):
        out = tmp_path / f"{number}" / "a.h5"
        out.parent.mkdir()
        if before:
            with pytest.raises(KeyboardInterrupt):
                run(out, examples=stopping_after(before, out.with_suffix(".log")))
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
        assert left <= {"a.h5.part", "a.h5.part-wal", "a.dropped.csv"}
        finished = finished_in(partial_path(out)) if "a.h5.part" in left else 0
        assert finished >= before
        stages.add("at once" if not finished else "photos" if finished < COUNT else "store")
        assert run(out).resumed == finished
        assert_equal(out, expected)
    assert stages == {"at once", "photos", "store"}


def stopping_after(count: int, log: Path) -> Iterator[Job]:
    """All jobs, and a stop after ``count`` of them."""
    for index, job in enumerate(jobs(log)):
        if index == count:
            raise KeyboardInterrupt
        yield job
    raise KeyboardInterrupt
