"""Processes of which one ends too early; by itself, because what it does not import it need not wait for."""

from __future__ import annotations

import os
import signal
import time

import torch

from pgen.errors import InputError
from pgen.training.distributed import ProcessGroup


def one_dies(processes: ProcessGroup, killed: bool) -> str:
    """The second process ends in the middle of the work of the others."""
    for turn in range(1000):
        if processes.rank == 1 and turn == 3:
            if killed:
                os.kill(os.getpid(), signal.SIGKILL)
            raise InputError("photos/7.png: cut short; fetch it again", option="data")
        processes.mean(torch.zeros(1))
        time.sleep(0.01)
    return "not noticed"
