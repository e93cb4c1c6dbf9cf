"""The process that has the networks, so that the page answers while they work, and work can be cut short."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pgen.errors import PgenError
from pgen.runtime.parallel_map import hide_script
from pgen.runtime.signals import guard_signals
from pgen.studio.requests import Request


@dataclass(frozen=True)
class ModelSettings:
    """Which networks work, where, and with what annotators; as `pgen.load` and `Annotators` take them."""

    weights: str | None = None
    device: str = "auto"
    pose_annotator: str = "mediapipe"
    parser: str = "pgen"
    seed: int = 0


@dataclass(frozen=True)
class Message:
    """What the worker says of a request, ``job``; None: of itself."""

    job: str | None
    kind: str  #: "ready", "progress", "done", "failed" or "stopped"
    content: Any = None


class _Stopped(Exception):  # noqa: N818  (nothing went wrong)
    """Nobody wants the result any more."""


class Worker:
    """A process that answers one request after another.

    Args:
        settings: what it loads.
        folder: removed by the process should this one be killed.
    """

    def __init__(self, settings: ModelSettings, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        requests, self._requests = context.Pipe(duplex=False)
        stops, self._stops = context.Pipe(duplex=False)
        self._messages, messages = context.Pipe(duplex=False)
        with guard_signals(), hide_script():
            arguments = (settings, folder, requests, stops, messages)
            self._process = context.Process(target=_run, args=arguments, daemon=True, name="worker of the page")
            self._process.start()
        for connection in (requests, stops, messages):
            connection.close()

    def listen(self, listener: Callable[[Message], None]) -> None:
        """Call ``listener`` with every `Message`, in a thread of its own; with kind "ended" after the process's end."""
        threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def send(self, job: str, request: Request) -> None:
        """Ask for ``request``; messages about it name ``job``."""
        self._requests.send((job, request))

    def stop(self, job: str) -> None:
        """Ask the process to leave off what it does for ``job``."""
        self._stops.send(job)

    def end(self) -> None:
        """End the process at once, whatever it is at."""
        self._process.kill()
        self._process.join(5)

    def _listen(self, listener: Callable[[Message], None]) -> None:
        while True:
            try:
                message = self._messages.recv()
            except (EOFError, OSError):
                self._process.join(5)
                listener(Message(None, "ended", self._process.exitcode))
                return
            listener(message)


def _run(settings: ModelSettings, folder: Path, requests: Connection, stops: Connection, messages: Connection) -> None:
    """Load the networks, then answer until there is nobody to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with_parent, args=(parent, folder), daemon=True).start()
    try:
        from pgen.data.annotators.choose import Annotators
        from pgen.inference.predictor import load
        from pgen.studio.work import Work

        annotators = Annotators(settings.pose_annotator, settings.parser, device=settings.device)
        predictor = load(settings.weights, settings.device, annotators)
        work = Work(predictor, settings.seed)
        messages.send(Message(None, "ready", {"origin": predictor.origin, "device": str(predictor.device)}))
    except Exception as error:
        messages.send(Message(None, "failed", explain(error, folder)))
        return
    for warm_up in (work.load_annotators, work.rehearse):
        with suppress(Exception):  # what is wrong is said where it is needed
            if not requests.poll():
                warm_up()
    try:
        while True:
            job, request = requests.recv()
            messages.send(_answer(work, folder, job, request, stops, messages))
    except (EOFError, OSError):  # the parent was killed
        shutil.rmtree(folder, ignore_errors=True)


def _answer(work: Any, folder: Path, job: str, request: Request, stops: Connection, messages: Connection) -> Message:
    def advance(done: int, total: int, note: str, so_far: Any = None) -> None:
        while stops.poll():
            if stops.recv() == job:
                raise _Stopped
        messages.send(Message(job, "progress", (done, total, note, so_far)))

    try:
        return Message(job, "done", work.answer(request, advance))
    except _Stopped:
        return Message(job, "stopped")
    except Exception as error:
        return Message(job, "failed", explain(error, folder))


def explain(error: Exception, folder: Path) -> str:
    """One line for the user, without where the ``folder`` of all tabs is. The unforeseen is printed, too."""
    if isinstance(error, PgenError):
        return re.sub(re.escape(f"{folder}{os.sep}") + r"[\w-]+[/\\]", "", str(error))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "not enough memory for this; give a smaller photo, or fewer at a time"
    traceback.print_exception(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _end_with_parent(parent: BaseProcess, folder: Path) -> None:
    parent.join()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
