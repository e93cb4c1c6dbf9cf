"""What the trainings of pose detector and parser have in common: one network, learning from true annotations alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pgen.data.dataset import PersonDataset
from pgen.training.config import Schedule
from pgen.training.tasks.base import Judged

#: Rows of a picture of samples.
_ROWS = 6


class SupervisedTask:
    """A `TrainingTask` of one network, without discriminators, in which nothing changes from step to step."""

    name: str

    def __init__(
        self,
        network: nn.Module,
        schedule: Schedule,
        train: PersonDataset,
        held_out: PersonDataset,
        device: torch.device | str,
    ) -> None:
        """``network`` is moved to ``device``, and saved under the task's name."""
        self.schedule, self.device = schedule, torch.device(device)
        self.train, self.held_out, self.frame = train, held_out, train.size
        self.networks = nn.ModuleDict({self.name: network.to(self.device).to(memory_format=torch.channels_last)})
        self.discriminators = nn.ModuleDict()
        self.frozen_networks: Mapping[str, nn.Module] = {}
        self.lr_factors: Mapping[str, float] = {}

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Nothing changes from step to step."""

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        return {}


def spread_indices(count: int) -> list[int]:
    """Which few of ``count`` examples are drawn: indices, evenly spread."""
    return torch.linspace(0, count - 1, min(count, _ROWS)).long().tolist()
