from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from pgen.runtime.signals import guard_signals


@pytest.fixture
def unblocking_thread() -> Iterator[None]:
    """A thread as numerical libraries have, which gets the signals that the main thread blocks."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    numbers: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, frame: numbers.append(number))
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("unblocking_thread")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_have_their_effect_afterwards(received: list[int], number: int) -> None:
    with guard_signals():
        os.kill(os.getpid(), number)
        threading.Event().wait(0.01)
        assert received == []
    assert received == [number]
    os.kill(os.getpid(), number)
    threading.Event().wait(0.01)
    assert received == [number] * 2


@pytest.mark.usefixtures("unblocking_thread")
def test_what_a_handler_raises_leaves_nothing_changed() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), guard_signals(), guard_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with guard_signals():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
