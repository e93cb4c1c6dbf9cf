from __future__ import annotations

import sys

import pytest

from pgen.cli.terminal import print_table, progress, warn


def test_warn(capsys: pytest.CaptureFixture[str]) -> None:
    warn("take\ncare")
    assert capsys.readouterr() == ("", "warning: take care\n")


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working", 3) as advance:
        advance()
        advance(2, note="loss 0.1")
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_goes_to_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("working", 3) as advance:
        advance(2, note="loss 0.1")
    out, err = capsys.readouterr()
    assert out == ""
    assert "working" in err
    assert "2/3" in err
    assert "loss 0.1" in err


def test_table_goes_to_stdout_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    long = "[red]" + "x" * 90
    print_table("[b]title", [("name", long), ("number", 3)], columns=("what", "value"))
    out, err = capsys.readouterr()
    assert err == ""
    assert "[b]title" in out
    assert long in out
    assert "value" in out
