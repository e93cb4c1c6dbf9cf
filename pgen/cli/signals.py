"""How a command is told to end, by Ctrl-C or SIGTERM, so that it unwinds, and ends for sure."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_SHORTLY = 0.02  # seconds


def run_until_terminated(run: Callable[[], object], terminated: int) -> None:
    """Call ``run``, in which Ctrl-C raises KeyboardInterrupt, and SIGTERM SystemExit of the code ``terminated``.

    Python drops what a signal's handler raises in a callback or a destructor, and so do modules written in C while they
    are imported; the command would go on. So imports are finished first, and what was dropped is raised again. Outside
    of the main thread ``run`` is only called.
    """
    if threading.current_thread() is not threading.main_thread():
        run()
        return
    postponed: set[int] = set()
    hook = sys.unraisablehook
    before = {signal.SIGTERM: signal.getsignal(signal.SIGTERM)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as in the background
        before[signal.SIGINT] = signal.default_int_handler

    def end(number: int, frame: FrameType | None) -> None:
        if _importing(frame):
            postpone(number)
        else:
            postponed.discard(number)
            _raise(number, terminated)

    def postpone(number: int) -> None:
        postponed.add(number)
        _thread.start_new_thread(repeat, (number,))  # takes no locks, which whatever is under way may hold

    def repeat(number: int) -> None:
        time.sleep(_SHORTLY)
        if number in postponed:
            _send_to_main_thread(number)

    def notice(dropped: sys.UnraisableHookArgs) -> None:
        error = dropped.exc_value
        if isinstance(error, SystemExit) and error.code == terminated:
            postpone(signal.SIGTERM)
        elif isinstance(error, KeyboardInterrupt):
            postpone(signal.SIGINT)
        else:
            hook(dropped)

    try:
        sys.unraisablehook = notice
        for number in before:
            signal.signal(number, end)
        run()
    finally:
        late = set(postponed)
        postponed.clear()  # nothing is repeated once the handlers are as before
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
    for left in late:
        _raise(left, terminated)


def _raise(number: int, terminated: int) -> NoReturn:
    raise SystemExit(terminated) if number == signal.SIGTERM else KeyboardInterrupt


def _importing(frame: FrameType | None) -> bool:
    """Whether ``frame`` belongs to an import that began in the command."""
    while frame is not None and frame.f_code is not run_until_terminated.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _send_to_main_thread(number: int) -> None:
    if hasattr(signal, "pthread_kill"):  # ends its waiting, too
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))
