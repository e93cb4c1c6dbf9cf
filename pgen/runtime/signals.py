"""Letting Ctrl-C and requests to end have their effect where that does no harm, and have it for sure."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

_ENDING = (signal.SIGINT, signal.SIGTERM)
_SHORTLY = 0.02  # seconds
_MARK = "_pgen_mark"


class _Mark:
    """What a handler raises carries one, which is gone when it is: then it was dropped, or the block has ended."""


@contextmanager
def guard_signals(is_fragile: Callable[[FrameType | None], bool] | None = None) -> Iterator[None]:
    """Call the handlers of SIGINT and SIGTERM, which may raise, only after the block, in the main thread.

    With ``is_fragile`` they are called within the block, but in frames of which it is false; and what they raise is
    raised again if it is dropped before the block ends, as Python does in destructors, and modules written in C in
    callbacks. Other threads are not affected.

    To block signals is not enough: the system then gives them to another thread, as numerical libraries have, and
    Python calls their handlers in the main thread all the same. Without ``is_fragile`` they are blocked besides, which
    threads and processes that are started in the block inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in _ENDING}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}  # neither ignored nor C's
    waiting: list[int] = []
    report, is_active = sys.unraisablehook, [True]

    def handle(number: int, frame: FrameType | None) -> None:
        if is_fragile is None or is_fragile(frame):
            postpone(number)
            return
        if number in waiting:
            waiting.remove(number)
        try:
            handlers[number](number, frame)
        except BaseException as error:
            mark = _Mark()
            error.__dict__[_MARK] = mark
            weakref.finalize(mark, repeat_if_active, number).atexit = False
            raise

    def repeat_if_active(number: int) -> None:
        if is_active:
            postpone(number)

    def postpone(number: int) -> None:
        if number not in waiting:
            waiting.append(number)
        if is_fragile is not None:
            _thread.start_new_thread(repeat, (number,))  # takes no locks, which whatever is under way may hold

    def repeat(number: int) -> None:
        time.sleep(_SHORTLY)
        if number in waiting:
            _send_to_main_thread(number)

    def notice(dropped: sys.UnraisableHookArgs) -> None:
        if _MARK not in getattr(dropped.exc_value, "__dict__", ()):
            report(dropped)

    with ExitStack() as undoing:  # undoes all, even if a handler that is back in its place raises meanwhile
        undoing.callback(_raise_signals, waiting)
        if is_fragile is not None:
            undoing.callback(setattr, sys, "unraisablehook", report)
            undoing.callback(is_active.clear)
            sys.unraisablehook = notice
        for number, handler in handlers.items():
            undoing.callback(signal.signal, number, handler)
            signal.signal(number, handle)
        if is_fragile is None and hasattr(signal, "pthread_sigmask"):
            undoing.callback(signal.pthread_sigmask, signal.SIG_SETMASK, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        yield


def _raise_signals(waiting: list[int]) -> None:
    numbers = list(waiting)
    waiting.clear()  # nothing is repeated once the handlers are as before
    for number in numbers:
        signal.raise_signal(number)


def _send_to_main_thread(number: int) -> None:
    if hasattr(signal, "pthread_kill"):  # ends its waiting, too
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))
