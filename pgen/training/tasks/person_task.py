"""What the trainings of this package have in common: people, networks on a device, and losses of discriminators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pgen.data.dataset import PersonDataset
from pgen.losses.gan import discriminator_losses
from pgen.training.config import Schedule
from pgen.training.tasks.base import Judged


@dataclass(frozen=True)
class TaskData:
    """What every training on people starts from."""

    train: PersonDataset
    held_out: PersonDataset
    seed: int = 0  #: of the networks' first weights
    device: torch.device | str = "cpu"


class PersonTask:
    """A `TrainingTask` on people, in which nothing changes from step to step."""

    def __init__(
        self,
        schedule: Schedule,
        data: TaskData,
        networks: Mapping[str, nn.Module],
        discriminators: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """Networks are moved to the device, and saved under their names."""
        self.schedule, self.device = schedule, torch.device(data.device)
        self.train, self.held_out, self.frame = data.train, data.held_out, data.train.size
        self.networks, self.discriminators = nn.ModuleDict(networks), nn.ModuleDict(discriminators)
        for network in (self.networks, self.discriminators):
            network.to(self.device).to(memory_format=torch.channels_last)
        self.frozen_networks: Mapping[str, nn.Module] = {}
        self.lr_factors: Mapping[str, float] = {}

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Nothing changes."""

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        return discriminator_losses(self.discriminators, judged)


def spread_indices(count: int, rows: int = 6) -> list[int]:
    """Which few of ``count`` examples are drawn: indices, evenly spread."""
    return torch.linspace(0, count - 1, min(count, rows)).long().tolist()
