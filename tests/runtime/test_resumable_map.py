from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pgen.runtime.resumable_map import FileInUseError, ResumableMap, UnusableFileError


def test_what_was_put_is_there_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with ResumableMap(path) as first:
        assert first.header is None
        first.begin({"x": 1})
        first.put({"b": b"1", "a": b"2"})
        first.put({"c": b""})
    with ResumableMap(path, alone=True) as again:
        assert (len(again), again.header) == (3, {"x": 1})
        assert again.list_keys() == ["b", "a", "c"]
        assert list(again.iterate_values()) == [b"1", b"2", b""]
        assert again.get(["c", "a", "none"]) == {"c": b"", "a": b"2"}
        again.begin({"x": 2})
        assert (len(again), again.header) == (0, {"x": 2})
        again.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_alone_keeps_others_out(tmp_path: Path) -> None:
    with ResumableMap(tmp_path / "a", alone=True) as first:
        first.put({"a": b""})
        with pytest.raises(FileInUseError, match="in use by another process"):
            ResumableMap(tmp_path / "a", alone=True)
    with ResumableMap(tmp_path / "a") as one, ResumableMap(tmp_path / "a") as other:
        one.put({"b": b""})
        other.put({"c": b""})
        assert one.list_keys() == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"mine\n", b"{", b"\x00" * 100, b"SQLite format 3\x00" + b"\x00" * 84, None])
def test_other_files_are_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("create table things (x)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    for alone in (True, False):
        with pytest.raises(UnusableFileError, match="move it away"):
            ResumableMap(path, alone)
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_nothing_is_lost_by_a_kill(tmp_path: Path) -> None:
    program = (
        "import itertools, pathlib, sys\nfrom pgen.runtime.resumable_map import ResumableMap\n"
        "work = ResumableMap(pathlib.Path(sys.argv[1]), alone=True)\n"
        "for k in itertools.count():\n    work.put({str(k): bytes(3000)})\n    print(k, flush=True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(500):
            last = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split("\n")
    last = max([last, *(int(line) for line in rest[:-1])])
    with ResumableMap(tmp_path / "a", alone=True) as work:
        assert work.list_keys()[: last + 1] == [str(k) for k in range(last + 1)]
        assert len(work) <= last + 2
