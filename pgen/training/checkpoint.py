"""Checkpoints: everything a training needs to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pgen.data.outputs import write_whole
from pgen.errors import InputError


@dataclass
class State:
    """What changes in a training. Batches and dropout are functions of (seed, step) and need no saving."""

    networks: nn.ModuleDict
    critics: nn.ModuleDict
    average: nn.ModuleDict
    optimiser: torch.optim.Optimizer
    critic_optimiser: torch.optim.Optimizer | None
    step: int = 0  #: steps done

    def save(self, path: Path) -> None:
        """Write the state to ``path``, whole or not at all."""
        state = {
            "step": self.step,
            "networks": self.networks.state_dict(),
            "critics": self.critics.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict() if self.critic_optimiser else {},
        }
        with write_whole(path, force=True) as temporary:
            torch.save(state, temporary)

    def restore(self, path: Path) -> None:
        """Take over the state in ``path``. Raises InputError if it is damaged or of other networks."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.networks.load_state_dict(state["networks"])
            self.critics.load_state_dict(state["critics"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.critic_optimiser is not None:
                self.critic_optimiser.load_state_dict(state["critic_optimiser"])
            self.step = int(state["step"])
        except Exception as error:  # torch.load raises many kinds on a damaged file
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"{path}: cannot resume from it ({reason}); was the preset changed?") from None
