from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pgen.cli.signals import run_until_terminated

CODE = 143
RAISED = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]


def state() -> tuple[object, ...]:
    return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), sys.unraisablehook


class Interrupted:
    """Gone, it is interrupted; what is raised in it, Python only reports."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


def drop(number: signal.Signals) -> None:
    """Raise the signal, and drop what comes of it, as modules written in C do without a word."""
    with suppress(BaseException):
        signal.raise_signal(number)


@pytest.mark.parametrize("lose", [Interrupted, drop], ids=["in a destructor", "without a word"])
@pytest.mark.parametrize(("number", "raised"), RAISED)
def test_it_is_not_lost(
    number: signal.Signals, raised: type[BaseException], lose: Callable[[signal.Signals], object]
) -> None:
    went_on = []

    def run() -> None:
        lose(number)
        went_on.append(True)
        threading.Event().wait(20)
        pytest.fail("it was lost")

    before = state()
    with pytest.raises(raised):
        run_until_terminated(run, CODE)
    assert went_on
    assert state() == before


@pytest.mark.parametrize(("number", "raised"), RAISED)
def test_it_is_raised_once_where_it_unwinds(number: signal.Signals, raised: type[BaseException]) -> None:
    """However long what cleans up takes."""
    cleaned = []

    def run() -> None:
        try:
            signal.raise_signal(number)
        finally:
            threading.Event().wait(0.2)
            cleaned.append(True)

    with pytest.raises(raised):
        run_until_terminated(run, CODE)
    threading.Event().wait(0.05)  # nothing comes after it
    assert cleaned == [True]


@pytest.mark.parametrize("wait", [20, 0])
@pytest.mark.parametrize(("number", "raised"), RAISED)
def test_imports_are_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, raised: type[BaseException], wait: float
) -> None:
    """As modules in C do, this one drops whatever is raised; the command may end before it is raised again."""
    module = f"told_to_end_{number.name}_{wait}"
    lines = (
        f"import signal\ntry:\n    signal.raise_signal({int(number)})\nexcept BaseException:\n    pass\nwhole = True\n"
    )
    (tmp_path / f"{module}.py").write_text(lines)
    monkeypatch.syspath_prepend(tmp_path)
    found = []

    def run() -> None:
        found.append(__import__(module).whole)
        threading.Event().wait(wait)

    before = state()
    with pytest.raises(raised):
        run_until_terminated(run, CODE)
    assert found == [True]
    assert state() == before
    threading.Event().wait(0.05)  # nothing comes after it


def test_what_is_ignored_stays_so() -> None:
    """As Ctrl-C is by what a shell has started in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run_until_terminated(lambda: signal.raise_signal(signal.SIGINT), CODE)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_errors_in_callbacks_are_reported_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: reported.append(dropped.exc_type))

    class Failing:
        def __del__(self) -> None:
            raise ValueError

    run_until_terminated(Failing, CODE)
    assert reported == [ValueError]
