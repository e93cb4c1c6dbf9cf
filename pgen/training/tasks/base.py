"""The contract of a training: what the loop asks of it, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from pgen.body.viz import Picture
from pgen.data.dataset import PersonSample
from pgen.training.config import Schedule
from pgen.training.sampling import SampledBatch

B = TypeVar("B", bound=SampledBatch)

#: What the discriminators look at, by their names: (real, fake), without gradients.
Judged = Mapping[str, tuple[Tensor, Tensor]]


class TrainingTask(Protocol[B]):
    """What differs between the trainings of pose detector, H_S, H_A and parser."""

    name: str
    score: str  #: the validation score that the best weights have the highest of
    frame: tuple[int, int]  #: (height, width)
    schedule: Schedule
    networks: nn.ModuleDict  #: trained, averaged and saved
    discriminators: nn.ModuleDict  #: trained on what the networks make; may be empty
    frozen_networks: Mapping[str, nn.Module]  #: not trained, but saved with the finished weights
    lr_factors: Mapping[
        str, float
    ]  #: shares of the schedule's learning rate, of networks or parts ("parser.trunk"); else 1

    @property
    def train(self) -> Dataset[PersonSample]:
        """Where the indices of samples count."""

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Prepare the networks, and their averaged copies, for ``step``: fade in, freeze."""

    def sample(self, rng: torch.Generator) -> B:
        """Choose the samples of one step: indices and changes, from ``rng`` alone."""

    def losses(self, batch: B) -> tuple[dict[str, Tensor], Judged]:
        """The weighted terms of the objective, each a mean over the batch, and what the discriminators judge."""

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        """The discriminators' losses on what `losses` returned; not asked for where there are none."""

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """Scores of the averaged ``networks`` on held-out people."""

    def draw_samples(self, networks: nn.ModuleDict) -> Picture | None:
        """A picture of what the averaged ``networks`` make of the same few held-out people each time."""
