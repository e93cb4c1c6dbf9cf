"""Training in several processes: on the GPUs or processors of one machine, or on several machines.

One process each GPU, or so many on the CPU; every process has its own part of each batch, and torch's
DistributedDataParallel averages the gradients. The samples of a step are drawn for the whole batch, batch norms take
their statistics over all processes, so that a training goes the same way however many processes share it, but for
rounding and for dropout. Only the first process writes files, validates and talks.

Processes are started here, or by torchrun, on several machines (pgen/training/README.md has an example), which is
noticed and joined. Each machine needs the data file under the same name; the run folder is written by the first process
alone, and only that one reads it when resumed. A schedule's batch counts the samples of all processes.

A process that dies ends all the others: at once where they were started here, else as torchrun does.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pgen.errors import InputError, PgenError
from pgen.runtime.busy_processors import count_processors
from pgen.runtime.parallel_map import end_with_parent
from pgen.training.synced_norm import convert_batch_norms

T = TypeVar("T")

#: How long a process waits for another: others wait while the first validates or looks for pseudo labels. That a
#: process has died is noticed by whoever started it, long before.
_PATIENCE = timedelta(hours=12)
_MEETING = timedelta(minutes=5)  # for processes to come that are to be there; they may be on several machines

#: A process whose peer is gone lets whoever started it find that one first, so that it is blamed.
_GRACE_SECONDS = 20.0

#: Between the message and the option of an error that comes from another process: it comes as text.
_OPTION = "\x1f"

_INTERRUPTED = 128 + signal.SIGINT

#: What torchrun, or `run_in_processes`, tells the processes that it starts.
_STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, seen from one of them; alone by default."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    local_world: int = 1  #: how many of them are on this machine

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and talks."""
        return self.rank == 0

    def broadcast(self, make: Callable[[], T]) -> T:
        """What ``make`` returns in the first process; in the others it is not called."""
        if self.world == 1:
            return make()
        values = [make() if self.is_first else None]
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]  # type: ignore[return-value]

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is true in any process. All must ask; those that come first wait."""
        if self.world == 1:
            return flag
        seen = torch.tensor(int(flag))
        dist.all_reduce(seen, dist.ReduceOp.MAX)
        return bool(seen)

    def mean(self, values: Tensor) -> Tensor:
        """Mean of ``values``, a tensor on the CPU, over the processes."""
        if self.world > 1:
            dist.all_reduce(values)
            values /= self.world
        return values

    def average_gradients(self, module: nn.Module) -> nn.Module:
        """``module``, whose ``forward`` returns losses, so that its gradients are means over the processes.

        Of the parameters that require a gradient now; each has to get one in every step.
        """
        if self.world == 1:
            return module
        return DistributedDataParallel(module)

    def sync_batch_norms(self, networks: nn.Module) -> None:
        """Let the batch norms of ``networks`` see the whole batch."""
        if self.world > 1:
            convert_batch_norms(networks)


def no_gradient_sync(module: nn.Module | None) -> AbstractContextManager[None]:
    """While the block runs, gradients of `ProcessGroup.average_gradients`'s module stay in each process."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()


def check_processes(gpus: Sequence[int], count: int) -> None:
    """Raises InputError for GPUs that are not there, or named twice, or a ``count`` of processes beside them."""
    if gpus and count:
        raise InputError("choose GPUs or a number of processes on the CPU, not both", option="processes")
    there_are = torch.cuda.device_count() if torch.cuda.is_available() else 0
    choice = (
        f"choose one of {', '.join(map(str, range(there_are)))}" if there_are else "none can be used; train on the CPU"
    )
    for gpu in gpus:
        if not 0 <= gpu < there_are:
            raise InputError(f"there is no GPU {gpu} here; {choice}", option="gpus")
    if len(set(gpus)) < len(gpus):
        raise InputError("each GPU is named once: every process needs its own", option="gpus")


def run_in_processes(gpus: Sequence[int], count: int, work: Callable[..., T], *arguments: Any) -> T:
    """``work(processes, *arguments)`` in a process a GPU of ``gpus``, or in ``count`` processes on the CPU.

    One process is this one; so it is in a process that torchrun has started, which joins the others. More are started
    afresh: ``work`` must be importable, and its arguments fit to be pickled.

    Returns:
        What it returns in the first process.

    Raises:
        InputError, PgenError: as the process raised that failed first; PgenError too if one was killed.
    """
    check_processes(gpus, count)
    if all(name in os.environ for name in _STARTED):
        if gpus or count > 1:
            option = "gpus" if gpus else "processes"
            raise InputError("processes are to be started, and torchrun has done so: leave it out", option=option)
        with _joined(gpus, on_cpu=not torch.cuda.is_available()) as processes:
            return work(processes, *arguments)
    if max(len(gpus), count) > 1:
        return _launch(len(gpus) or count, work, tuple(gpus), arguments)
    use_cuda = gpus or (torch.cuda.is_available() and not count)
    device = torch.device("cuda", gpus[0] if gpus else 0) if use_cuda else torch.device("cpu")
    return work(ProcessGroup(device=device), *arguments)


def _read_number(name: str) -> int:
    text = os.environ.get(name, "0")
    if not text.isascii() or not text.isdigit():
        raise InputError(f"the environment variable {name} is {text!r}, no number; unset it, or start by torchrun")
    return int(text)


def _meet(rank: int, world: int) -> dist.Store:
    """Where processes find each other. Raises `PgenError` if the others do not come."""
    try:
        store, _, _ = next(iter(dist.rendezvous("env://", timeout=_MEETING)))
    except (RuntimeError, OSError, ValueError) as error:  # torch says it in many ways
        raise PgenError(
            f"process {rank} did not find the others of {world} within {_MEETING.total_seconds() / 60:.0f} minutes; "
            f"start them all by torchrun, or unset {', '.join(_STARTED)}, which say that there are others"
        ) from error
    store.set_timeout(_PATIENCE)
    return store


@contextmanager
def _joined(gpus: Sequence[int], on_cpu: bool) -> Iterator[ProcessGroup]:
    """Meet the other processes, as torchrun's environment variables say."""
    rank, world, local = (_read_number(name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    device = torch.device("cpu")
    if not on_cpu:
        index = gpus[local] if gpus else local
        if index >= torch.cuda.device_count():
            raise InputError(f"process {rank} needs the GPU {index}: start no more processes than there are GPUs")
        device = torch.device("cuda", index)
        torch.cuda.set_device(device)
    store = _meet(rank, world)
    backend = "gloo" if on_cpu else "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=_PATIENCE)
    try:
        yield ProcessGroup(rank, world, device, int(os.environ.get("LOCAL_WORLD_SIZE", world)))
    except RuntimeError as error:
        signs = ("Connection closed by peer", "Connection reset by peer", "gloo", "NCCL")
        if isinstance(error, dist.DistError) or any(sign in str(error) for sign in signs):
            time.sleep(_GRACE_SECONDS)
            raise PgenError(f"process {rank} of {world} lost another one; see its error") from error
        raise
    finally:
        dist.destroy_process_group()


def _launch(count: int, work: Callable[..., T], gpus: tuple[int, ...], arguments: tuple[Any, ...]) -> T:
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("torch.distributed.elastic", "torch.multiprocessing")):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what has happened is said here
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=f"pgen-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        start_method="forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn",
    )
    # One process imports what all of them need; the others are its copies. Optimizers import the latter when made.
    multiprocessing.set_forkserver_preload([work.__module__, "torch._dynamo"])
    with _restored_signals():
        try:
            return elastic_launch(config, _worker)(count, work, gpus, arguments)[0]
        except ChildFailedError as error:
            _, failure = error.get_first_failure()
            _raise(failure.message, failure.exitcode, int(failure.local_rank), count)
        except SignalException as stop:
            if stop.sigval == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise SystemExit(128 + stop.sigval) from None


def _worker(count: int, work: Callable[..., T], gpus: tuple[int, ...], arguments: tuple[Any, ...]) -> T:
    """One of the processes that `_launch` has started."""
    end_with_parent()
    if not gpus:
        torch.set_num_threads(max(1, count_processors() // count))
    try:
        with _joined(gpus, on_cpu=not gpus) as processes:
            return work(processes, *arguments)
    except InputError as error:
        raise InputError(f"{error}{_OPTION}{error.option or ''}") from error
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None  # the launcher would wait for a result


def _raise(message: Any, exit_code: int, rank: int, count: int) -> NoReturn:
    """Raise what a process has died of."""
    who = f"process {rank} of {count}"
    if exit_code == _INTERRUPTED:
        raise KeyboardInterrupt
    if exit_code < 0:
        killer = signal.Signals(-exit_code).name
        raise PgenError(f"{who} was killed by {killer}; all have ended; resume the run to go on")
    text = message.get("message", "") if isinstance(message, dict) else str(message)
    kind, _, rest = text.partition(": ")
    rest, _, option = rest.partition(_OPTION)
    line = " ".join(rest.split())
    if kind == InputError.__name__:
        raise InputError(line, option=option or None)
    if kind == PgenError.__name__:
        raise PgenError(line)
    raise PgenError(f"{who} failed: {' '.join(text.split())[:300] or f'exit code {exit_code}'}")


@contextmanager
def _restored_signals() -> Iterator[None]:
    """Put back the signal handlers that torch's launcher replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
