"""What the trainings of this package have in common: people, networks on a device, and losses of discriminators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pgen.data.dataset import PersonDataset
from pgen.losses.gan import discriminator_losses
from pgen.models.discriminators import DiscriminatorConfig
from pgen.models.registry import build_network
from pgen.training.config import Schedule
from pgen.training.tasks.base import Judged


@dataclass(frozen=True)
class TaskData:
    """What every training on people starts from."""

    train: PersonDataset
    held_out: PersonDataset | None  #: None: there is no validation
    seed: int = 0  #: of the networks' first weights
    device: torch.device | str = "cpu"


class PersonTask(ABC):
    """A `TrainingTask` of one network on people, in which nothing changes from step to step."""

    role: ClassVar[str]  #: of the network, see `pgen.models.registry.MODELS`; it is saved under this name

    def __init__(self, config: Any, data: TaskData, discriminators: Mapping[str, DiscriminatorConfig] | None = None):
        """``config`` is the task's group of a preset; ``discriminators`` are those to train with, by name."""
        torch.manual_seed(data.seed)
        self.config, self.model = config, build_network(self.role, config.network)
        built = {name: build_network("discriminator", sizes) for name, sizes in (discriminators or {}).items()}
        self.networks, self.discriminators = nn.ModuleDict({self.role: self.model}), nn.ModuleDict(built)
        self.schedule: Schedule = config.schedule
        self.device = torch.device(data.device)
        self.train, self.held_out, self.frame = data.train, data.held_out or data.train, data.train.size
        #: what is scored, (N,); or pairs of them, (N, 2)
        self.held_out_indices = torch.arange(0 if data.held_out is None else len(data.held_out))
        for network in (self.networks, self.discriminators):
            network.to(self.device).to(memory_format=torch.channels_last)
        self.frozen_networks: Mapping[str, nn.Module] = {}
        self.lr_factors: Mapping[str, float] = {}

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:  # noqa: B027 - most tasks need none
        """Nothing changes."""

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """The `compute_scores` of held-out people; of several files each one's too, "SCORE_FILE", and their means."""
        found, first = {}, self.held_out_indices if self.held_out_indices.ndim == 1 else self.held_out_indices[:, 0]
        for start, part in self.held_out.list_parts():
            which = (first >= start) & (first < start + len(part))
            if which.any():
                name = part.store.path.stem
                name = name if name not in found else f"{name}-{start}"
                found[name] = self.compute_scores(networks, self.held_out_indices[which])
        scores: dict[str, float] = {}
        for name in dict.fromkeys(name for of_file in found.values() for name in of_file):
            values = [of_file[name] for of_file in found.values() if name in of_file]
            scores[name] = sum(values) / len(values)
        several = found if len(found) > 1 else {}
        return scores | {f"{name}_{file}": value for file, its in several.items() for name, value in its.items()}

    @abstractmethod
    def compute_scores(self, networks: nn.ModuleDict, indices: Tensor) -> dict[str, float]:
        """Scores of the averaged ``networks`` on some of ``held_out_indices``, of people of one file."""

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        return discriminator_losses(self.discriminators, judged)


def spread_indices(count: int, rows: int = 6) -> list[int]:
    """Which few of ``count`` examples are drawn: indices, evenly spread."""
    return torch.linspace(0, count - 1, min(count, rows)).long().tolist()
