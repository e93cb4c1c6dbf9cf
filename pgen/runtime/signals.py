"""Putting off Ctrl-C and requests to end while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM have their effect only after the block, in the main thread; elsewhere they have none.

    To block them is not enough: the system then gives them to another thread, as numerical libraries have, and Python
    calls their handlers, which raise, in the main thread all the same. They are blocked besides, which threads and
    processes that are started in the block inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    handlers = {number: signal.getsignal(number) for number in _ENDING}
    with ExitStack() as undoing:  # undoes all, even if a handler that is back in its place raises meanwhile
        undoing.callback(_raise_signals, arrived)
        for number, handler in handlers.items():
            if handler is not None:  # set by other than Python: cannot be put back
                undoing.callback(signal.signal, number, handler)
                signal.signal(number, note)
        if hasattr(signal, "pthread_sigmask"):
            undoing.callback(signal.pthread_sigmask, signal.SIG_SETMASK, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        yield


def _raise_signals(arrived: list[int]) -> None:
    for number in dict.fromkeys(arrived):
        signal.raise_signal(number)
