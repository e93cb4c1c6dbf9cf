"""What the loop needs to know about a stage of the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pgen.training.config import Schedule
from pgen.training.sampling import SampledBatch

D = TypeVar("D", bound=SampledBatch)


class TrainingTask(Protocol[D]):
    """What differs between the trainings of pose detector, H_S, H_A and parser."""

    name: str
    score: str  #: the validation score that the best weights have the highest of
    frame: tuple[int, int]
    schedule: Schedule
    networks: nn.ModuleDict  #: trained, averaged and saved
    critics: nn.ModuleDict  #: discriminators
    companions: Mapping[str, nn.Module]  #: frozen networks that belong to the finished weights
    rates: Mapping[str, float]  #: learning rates of single networks, as shares of the schedule's; 1 for the others

    def begin(self, step: int, average: nn.ModuleDict) -> None:
        """Prepare the networks, and their averaged copies, for ``step``."""

    def draw(self, generator: torch.Generator) -> D:
        """Draw the samples of one step."""

    def generator_losses(self, draw: D) -> dict[str, Tensor]:
        """The weighted losses of these samples, each a mean over them."""

    def critic_losses(self) -> dict[str, Tensor]:
        """The discriminators' losses on the same samples, asked for after `generator_losses`."""

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """Scores of the averaged networks on held-out people."""


@runtime_checkable
class DrawsSheet(Protocol):
    """A stage that can be watched."""

    def sheet(self, networks: nn.ModuleDict) -> NDArray[np.uint8] | None:
        """A picture (H, W, 3) of what the networks make of the same few held-out people each time, if there are any."""
