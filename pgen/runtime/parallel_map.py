"""Doing the same work on many items in several processes, with results in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from pgen.errors import PgenError
from pgen.runtime.allocator import keep_freed_memory
from pgen.runtime.busy_processors import THREAD_COUNTS
from pgen.runtime.signals import guard_signals

T = TypeVar("T")

_AHEAD = 4  # tasks a process that may be under way or waiting to be fetched; bounds the memory

_stopped: Connection  # in workers


def parallel_map(
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
    batches = iter(lambda: list(islice(items, together)), [])
    waiting: deque[Future[list[T]]] = deque()
    with ExitStack() as ending:
        with guard_signals():
            pool = _take_pool(workers)
            ending.callback(pool.end)
        try:
            for batch in islice(batches, workers * _AHEAD):
                waiting.append(_submit(pool.executor, function, batch))
            while waiting:
                results = _wait_for_result(waiting.popleft())
                for batch in islice(batches, 1):
                    waiting.append(_submit(pool.executor, function, batch))
                yield from results
        except BrokenProcessPool as error:
            raise PgenError("a worker process died; is there memory enough? Try with fewer workers") from error
        with guard_signals():
            if _kept is not None:
                ending.pop_all()
                _kept.append(pool)


@contextmanager
def keep_workers() -> Iterator[None]:
    """Processes that finish the work of one `parallel_map` serve the next ones while the block runs, warmed up."""
    global _kept
    if _kept is not None:
        yield
        return
    _kept = []
    try:
        yield
    finally:
        with guard_signals():
            pools, _kept = _kept, None
            for pool in pools:
                pool.end()


# An exception that a signal raises within the pool's own code would leave locks of it held, or a process that it does
# not know of and never ends; so signals wait while that runs.


class _Pool:
    """At most ``workers`` processes, started when there is work for them."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._stopped, self._stop = context.Pipe(duplex=False)
        self.workers = workers
        self.executor = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(self._stopped,))

    def end(self) -> None:
        """End all processes; each finishes the item it is at."""
        with guard_signals():
            self._stop.close()
            self.executor.shutdown(cancel_futures=True)
            self._stopped.close()


_kept: list[_Pool] | None = None  # those without work, while they are kept


def _take_pool(workers: int) -> _Pool:
    for pool in _kept or ():
        if pool.workers == workers:
            _kept.remove(pool)  # type: ignore[union-attr]
            return pool
    return _Pool(workers)


def _submit(pool: ProcessPoolExecutor, function: Callable[..., T], batch: list[tuple[Any, ...]]) -> Future[list[T]]:
    """The work on ``batch``, handed over.

    Processes that are started for it use one thread each, and do not see Ctrl-C, which the parent answers.
    """
    with guard_signals():
        unset = [name for name in THREAD_COUNTS if name not in os.environ]
        os.environ.update(dict.fromkeys(unset, "1"))
        try:
            with nullcontext() if function.__module__ == "__main__" else hide_script():
                return pool.submit(_run_batch, function, batch)
        finally:
            for name in unset:
                os.environ.pop(name, None)


@contextmanager
def hide_script() -> Iterator[None]:
    """Keep processes that are started from running the caller's script, which would have to guard itself against it."""
    main = vars(sys.modules["__main__"])
    hidden: dict[str, object] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        main.update(hidden)


def _wait_for_result(future: Future[list[T]]) -> list[T]:
    """What comes of ``future``, waited for so that signals have their effect."""
    done = threading.Lock()
    with guard_signals():
        done.acquire()
        future.add_done_callback(lambda _: done.release())
    with done, guard_signals():
        return future.result()


def _run_batch(function: Callable[..., T], items: list[tuple[Any, ...]]) -> list[T]:
    """The results of ``items``, in a worker; fewer if nobody wants them any more."""
    return [function(*item) for item in items if not _stopped.poll()]


def _start_worker(stopped: Connection) -> None:
    """Leave Ctrl-C to the parent where it cannot be blocked, and end when the parent is gone, even killed.

    ``stopped`` can be read from (end of file) when no results are wanted any more.
    """
    global _stopped
    _stopped = stopped
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    end_with_parent()


def end_with_parent() -> None:
    """Let this process end, at once, when the one that has started it is gone, even killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_end, args=(parent,), daemon=True).start()


def _wait_and_end(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
