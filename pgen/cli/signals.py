"""How a command is told to end, by Ctrl-C or SIGTERM, so that it unwinds, and ends for sure."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from pgen.runtime.signals import guard_signals


def run_until_terminated(run: Callable[[], object], terminated: int) -> None:
    """Call ``run``, in which Ctrl-C raises KeyboardInterrupt, and SIGTERM SystemExit of the code ``terminated``.

    Imports are finished first: modules written in C drop what is raised while they are imported, and the command would
    go on. Outside of the main thread ``run`` is only called.
    """
    if threading.current_thread() is not threading.main_thread():
        run()
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(terminated)

    before = signal.signal(signal.SIGTERM, end)
    try:
        with guard_signals(_is_importing):
            run()
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether ``frame`` belongs to an import that began in the command."""
    while frame is not None and frame.f_code is not run_until_terminated.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
