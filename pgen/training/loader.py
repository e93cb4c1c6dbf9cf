"""The samples of each step with their photos, which worker processes read ahead.

Who is in a step is drawn in the training's own process, from (seed, step) alone; workers do nothing but read photos as
bytes. So samples are the same with any number of workers.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from pgen.data.dataset import PersonDataset, PersonSample, StoredBatch
from pgen.errors import PgenError
from pgen.runtime.busy_processors import count_processors
from pgen.training.distributed import ProcessGroup
from pgen.training.sampling import SampledBatch
from pgen.training.tasks.base import TrainingTask

#: More workers than this in a process wait for each other: reading two photos and maps takes 3 ms.
_MOST_WORKERS = 8


@dataclass(frozen=True)
class LoadedStep:
    """The samples of one step."""

    names: Sequence[str]  #: of all its samples, in all processes
    parts: list[SampledBatch]  #: those of this process with their photos, one batch for each of ``schedule.accumulate``


def load_steps(
    task: TrainingTask, seed: int, steps: range, processes: ProcessGroup, workers: int | None = None
) -> Iterator[LoadedStep]:
    """The samples of each of ``steps`` for one of the ``processes``.

    Photos are read by so many ``workers`` a few steps ahead; by default by this process itself where there is nothing
    to wait for, the photos being in memory and the networks on the CPU.

    Raises:
        InputError: photos cannot be read.
    """
    schedule, drawn = task.schedule, deque[LoadedStep]()

    def draw() -> Iterator[list[int]]:
        for step in steps:
            whole = task.sample(torch.Generator().manual_seed(step_seed(seed, step)))
            # Parts come first, then processes: so batch norms see the same samples in any number of processes.
            parts = [
                whole.part(k, schedule.accumulate).part(processes.rank, processes.world)
                for k in range(schedule.accumulate)
            ]
            drawn.append(LoadedStep(whole.names, parts))
            yield [index for part in parts for index in part.photo_indices()]

    if workers is None:
        is_in_memory = isinstance(task.train, PersonDataset) and task.train.is_in_memory
        spare = min(_MOST_WORKERS, max(1, count_processors() // processes.local_world - 1))
        workers = 0 if is_in_memory and processes.device.type == "cpu" else spare
    loader = DataLoader(
        _PhotoReader(task.train),
        batch_size=None,
        sampler=draw(),
        num_workers=workers,
        pin_memory=processes.device.type == "cuda",
        worker_init_fn=_leave_signals,
        generator=torch.Generator(),  # else it would draw from the one that networks draw from
    )
    for photos in loader:
        if isinstance(photos, PgenError):
            raise photos
        step, at = drawn.popleft(), 0
        for k, part in enumerate(step.parts):
            count = len(part.photo_indices())
            step.parts[k] = part.with_photos(photos[at : at + count])
            at += count
        yield step


def step_seed(seed: int, step: int) -> int:
    """What everything random about a step is drawn from."""
    return (seed * 1_000_003 + step) % 2**63


class _PhotoReader(Dataset[StoredBatch | PgenError]):
    """Photos by lists of their indices, or why they cannot be read: a worker would only tell a traceback."""

    def __init__(self, photos: Dataset[PersonSample]) -> None:
        self.photos = photos

    def __getitem__(self, indices: Sequence[int]) -> StoredBatch | PgenError:
        try:
            return StoredBatch.collate([self.photos[index] for index in indices])
        except PgenError as error:
            return error


def _leave_signals(worker: int) -> None:
    """Ctrl-C reaches workers too: they end with the training, which heeds it when its step is whole."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
