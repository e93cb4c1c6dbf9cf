"""Doing the same work on many items in several processes, with results in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from pgen.errors import PgenError

T = TypeVar("T")

_AHEAD = 4  # tasks a process that may be under way or waiting to be fetched; bounds the memory
_ENDING = {signal.SIGINT, signal.SIGTERM}
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[..., T], arguments: Iterable[tuple[Any, ...]], workers: int, together: int = 1
) -> Iterator[T]:
    """``function(*item)`` for each item of ``arguments``, in their order, in ``workers`` processes.

    With one worker the work is done in this process. ``function`` must be importable (processes are started
    afresh), and few results are kept waiting, so that memory stays flat. Items of a few milliseconds go faster with
    several sent ``together``. Exceptions of ``function`` are raised here; `PgenError` if a process dies.
    """
    items = iter(arguments)
    if workers <= 1:
        yield from (function(*item) for item in items)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    waiting: deque[Future[list[T]]] = deque()
    batches = iter(lambda: list(islice(items, together)), [])
    try:
        with _starting_workers():  # by the first items
            waiting.extend(pool.submit(_each, function, batch) for batch in islice(batches, workers * _AHEAD))
        while waiting:
            results = waiting.popleft().result()
            waiting.extend(pool.submit(_each, function, batch) for batch in islice(batches, 1))
            yield from results
    except BrokenProcessPool as error:
        raise PgenError("a worker process died; is there memory enough? Try with fewer --workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _each(function: Callable[..., T], items: list[tuple[Any, ...]]) -> list[T]:
    return [function(*item) for item in items]


@contextmanager
def _starting_workers() -> Iterator[None]:
    """Let processes that are started meanwhile use one thread each and not see Ctrl-C, which the parent answers.

    The signal is blocked, not ignored, so that the parent gets it afterwards; and so is a request to end, which would
    leave a process half started that nobody ends.
    """
    unset = [name for name in _ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for name in unset:
            os.environ.pop(name, None)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent where it cannot be blocked, and end when the parent is gone, even killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
