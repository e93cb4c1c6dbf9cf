"""Where networks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgen.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``name``: "cpu", "cuda", "cuda:1", "mps", or the best there is for "auto".

    Raises `InputError` if this machine has no such device.
    """
    import torch

    mps = torch.backends.mps.is_available()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{index}" for index in range(count)), *(["mps"] if mps else [])]
    if name == "auto":
        return torch.device("cuda:0" if count else "mps" if mps else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise InputError(f"{name}: no such device here; choose one of auto, {', '.join(there)}", option="device")
    return torch.device(wanted)
