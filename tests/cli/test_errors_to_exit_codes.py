from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer

from pgen.cli import errors_to_exit_codes as conducting
from pgen.cli.errors_to_exit_codes import errors_to_exit_codes
from pgen.errors import InputError, PgenError


def raising(error: BaseException) -> None:
    raise error


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a.png is empty"), 2, "error: a.png is empty"),
        (PgenError("it failed"), 1, "error: it failed"),
        (InputError("two\n  lines"), 2, "error: two lines"),
        (InputError("a\x1b[31m\udcff.png"), 2, "error: a\ufffd[31m\ufffd.png"),
        (typer.BadParameter("no such thing."), 2, "error: Invalid value: no such thing"),
        (KeyError("x"), 1, "error: KeyError: 'x' (run with --debug for the traceback)"),
        (RuntimeError(), 1, "error: RuntimeError (run with --debug for the traceback)"),
        (MemoryError(), 1, "error: not enough memory;"),
        (OutOfMemoryError("CUDA"), 1, "error: the GPU has not enough memory;"),
        (OSError(errno.ENOSPC, "full", "out.png"), 1, "error: no space left on the disk to write out.png;"),
        (OSError(errno.EIO, "broken", "out.png"), 1, "error: out.png: broken; the disk or the network fails;"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), 1, "error: x: file name too long; choose a shorter"),
        (PermissionError(errno.EACCES, "Permission denied"), 1, "error: a file: permission denied; change"),
        (RuntimeError("alloc_cpu: can't allocate memory: 3"), 1, "error: not enough memory;"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (typer.Abort(), 130, "interrupted"),
    ],
)
def test_errors_become_one_line(capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str) -> None:
    assert errors_to_exit_codes(lambda: raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(("error", "code"), [(typer.Exit(0), 0), (typer.Exit(3), 3), (SystemExit(4), 4)])
def test_exits_are_quiet(capsys: pytest.CaptureFixture[str], error: BaseException, code: int) -> None:
    assert errors_to_exit_codes(lambda: raising(error)) == code
    assert capsys.readouterr() == ("", "")


def test_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert errors_to_exit_codes(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("error", [InputError("bad"), ValueError("bad")])
def test_traceback_only_with_debug(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    assert errors_to_exit_codes(lambda: raising(error), debug=True) in (1, 2)
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "in raising" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_a_reader_that_has_left_is_no_error(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert errors_to_exit_codes(lambda: print("x" * 100_000)) == 1
        print("what is left to flush")
    assert capfd.readouterr().err == ""


def test_a_request_to_end_unwinds() -> None:
    unwound = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            unwound.append(True)

    before = signal.getsignal(signal.SIGTERM)
    assert errors_to_exit_codes(work) == 143
    assert unwound
    assert signal.getsignal(signal.SIGTERM) is before


def test_libraries_are_silent_except_with_debug(capsys: pytest.CaptureFixture[str]) -> None:
    def talk() -> None:
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert errors_to_exit_codes(talk) == 0
        assert capsys.readouterr().err == ""


def test_codes_are_the_promised_ones() -> None:
    assert (conducting.OK, conducting.FAILED, conducting.BAD_INPUT, conducting.INTERRUPTED) == (0, 1, 2, 130)


@pytest.mark.parametrize(
    ("redirection", "code", "line"),
    [
        (">&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        (">/dev/full", 1, "error: what was to be printed could not be written (No space left on device); files"),
        ("| head -0; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_is_kept_when_telling_of_it_fails(
    tmp_path: Path, redirection: str, code: int, line: str, unbuffered: str
) -> None:
    program = "import sys, time; from pgen.cli.errors_to_exit_codes import errors_to_exit_codes as run; "
    program += "time.sleep(0.2); print_ = lambda: print('made \\u2713', flush=True); "
    program += "work = lambda: (print_(), open('made', 'w').write('all of it'), print_()); sys.exit(run(work))"
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUNBUFFERED": unbuffered}
    command = ["bash", "-c", f'"$0" -c "$1" {redirection}', sys.executable, program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (code, bool(line))
    assert done.stderr.startswith(line)
    assert (tmp_path / "made").read_text() == "all of it"


def test_what_a_terminal_cannot_write_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert errors_to_exit_codes(lambda: print("Müller.png", "\udcff")) == 0
    assert terminal.buffer.getvalue() == b"M\\xfcller.png \\udcff\n"  # type: ignore[attr-defined]
