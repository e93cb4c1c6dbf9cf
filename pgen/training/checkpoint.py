"""Checkpoints: everything a training needs to go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch
from torch import Tensor, nn

from pgen.data.weights import explain_load_error
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write


@dataclass
class TrainingState:
    """What changes in a training. Batches and dropout are functions of (seed, step) and need no saving."""

    networks: nn.ModuleDict
    discriminators: nn.ModuleDict
    ema: nn.ModuleDict  #: the averaged networks
    optimizer: torch.optim.Optimizer
    d_optimizer: torch.optim.Optimizer | None  #: of the discriminators, if there are any
    scaler: torch.amp.GradScaler  #: of losses in fp16; does nothing otherwise
    step: int = 0  #: steps done
    best: float | None = None  #: the best main score of a validation so far
    scores: dict[str, float] = field(default_factory=dict)  #: of the last validation since the training was started

    def contents(self) -> dict[str, Any]:
        """The state as tensors and numbers, fit for ``torch.load(weights_only=True)``."""
        return {"step": self.step, "best": self.best} | {key: part.state_dict() for key, part in self._parts()}

    def restore(self, state: dict[str, Any], path: Path) -> None:
        """Take over the `contents` that were read from ``path``. Raises InputError if they are of other networks."""
        try:
            for key, part in self._parts():
                if state[key]:  # of a scaler that does nothing there is none
                    part.load_state_dict(state[key])
            self.step = int(state["step"])
            self.best = None if state["best"] is None else float(state["best"])
        except Exception as error:  # load_state_dict raises many kinds
            raise _cannot_resume(path, error) from None

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """What has a state of its own, by its key in a checkpoint; they are called as in the first ones written."""
        yield from (("networks", self.networks), ("critics", self.discriminators), ("average", self.ema))
        yield from (("optimiser", self.optimizer), ("scaler", self.scaler))
        if self.d_optimizer is not None:
            yield "critic_optimiser", self.d_optimizer

    @torch.no_grad()
    def update_ema(self, decay: float) -> None:
        """Move the averaged weights towards the networks': average · ``decay`` + new · (1 − ``decay``)."""
        pairs = list(zip(self.ema.state_dict().values(), self.networks.state_dict().values(), strict=True))
        floating: list[tuple[Tensor, Tensor]] = [pair for pair in pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([average for average, _ in floating], [new for _, new in floating], 1 - decay)
        for average, new in pairs:
            if not average.is_floating_point():
                average.copy_(new)


class Checkpoints:
    """The last two checkpoints of a run: ``checkpoint.pt`` and, in case that one is damaged, the one before."""

    def __init__(self, folder: Path) -> None:
        self.newest, self.before = folder / "checkpoint.pt", folder / "checkpoint-before.pt"

    def exist(self) -> bool:
        return self.newest.exists() or self.before.exists()

    def save(self, state: TrainingState) -> None:
        """Write ``state``. Whenever this is interrupted, a whole checkpoint is left."""
        with atomic_write(self.newest, overwrite=True) as aside:
            torch.save(state.contents(), aside)
            if is_zipfile(self.newest):  # one that was cut short replaces none
                self.newest.replace(self.before)

    def load(self) -> tuple[dict[str, Any], Path, str | None]:
        """The contents of the newest readable checkpoint, its path, and a warning if it is not the newest.

        Raises InputError if none can be read.
        """
        trouble = None
        for path in (self.newest, self.before):
            if not path.exists():
                continue
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
                warning = trouble and f"{trouble}; resuming from {path.name}, of step {int(state['step'])}"
                return state, path, warning
            except Exception as error:  # torch.load raises many kinds on a damaged file
                trouble = trouble or f"{path}: cannot resume from it, it cannot be read ({explain_load_error(error)})"
        raise InputError(trouble or f"{self.newest}: there is no such file")


def _cannot_resume(path: Path, error: Exception) -> InputError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return InputError(f"{path}: cannot resume from it ({reason}); was the preset changed?")
