"""Train in processes that are killed at random moments, until one of them is done.

By itself, so that processes can be forked from one that has everything imported and computed nothing yet.
Usage: python -m tests.training.killed STORE FOLDER KILLS
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
import torch._dynamo  # which optimisers import, in seconds

import pgen.training.run
from pgen.training.loop import train
from pgen.training.run import RunConfig
from tests.training.people import draw_nothing
from tests.training.stages import builder


def main(store: Path, folder: Path, kills: int) -> None:
    """One run in ``folder``/whole, and one that is killed so many times in ``folder``/killed."""
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # takes seconds to import
    pgen.training.run.draw_curves = draw_nothing  # as this does
    os.fsync = lambda handle: None  # type: ignore[assignment]  # that matters only when the machine fails
    torch.set_num_threads(1)
    steps = 3 * (kills + 1)
    intervals = ("log_every=1", "validate_every=5", "checkpoint_seconds=0")
    settings = (f"schedule.steps={steps}", *(f"schedule.{interval}" for interval in intervals))
    build = builder(store)

    def start(run: str) -> int:
        child = os.fork()
        if not child:
            train(build("semantic", *settings), RunConfig(folder / run, {}, resume=True), lambda step, values: None)
            os._exit(0)
        return child

    began = time.monotonic()
    assert os.waitpid(start("whole"), 0)[1] == 0
    seconds = time.monotonic() - began
    killed = 0
    while killed < kills:
        child = start("killed")
        time.sleep(random.uniform(0.1, 1.2) * seconds / (kills + 1))
        os.kill(child, signal.SIGKILL)
        killed += os.waitpid(child, 0)[1] == signal.SIGKILL
    assert os.waitpid(start("killed"), 0)[1] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
