"""Everything random about one step's batch, drawn at once, so that any part of the batch can be made anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor

from pgen.data.dataset import Change, Sampler
from pgen.training.augment.self_reconstruction import Concealment
from pgen.training.config import Schedule


@dataclass(frozen=True)
class Draw:
    """The samples of one step: who they are and how they are changed. On the CPU; every field has B entries.

    It is drawn for the whole batch, from (seed, step) alone. Processes and micro-batches then take their `part` of it:
    together they have the same samples however many they are.
    """

    names: tuple[str, ...]  #: what to call each sample in a message
    source: Tensor  #: long (B,), indices of A
    source_change: Change

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, which: slice) -> Self:
        return replace(self, **{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def part(self, index: int, count: int) -> Self:
        """Part ``index`` of ``count`` equal ones. Raises ValueError if the samples cannot be parted so."""
        if not 0 <= index < count or len(self) % count:
            raise ValueError(f"there is no part {index} of {count} of {len(self)} samples")
        share = len(self) // count
        return self[index * share : (index + 1) * share]


@dataclass(frozen=True)
class NoisyDraw(Draw):
    """Single views with noise of their own."""

    noise: Tensor  #: long (B,), the seed of each sample's noise


@dataclass(frozen=True)
class BackedDraw(NoisyDraw):
    """Single views, each with another one that may lend its background."""

    other: Tensor  #: long (B,), indices of the others


@dataclass(frozen=True)
class PairDraw(Draw):
    """Pairs of A and of the view that says where A goes."""

    target: Tensor  #: long (B,), indices of the target
    target_change: Change
    #: bool (B,): the target is anyone, for the pose alone; else a pseudo label, whose map is known
    anyone: Tensor


@dataclass(frozen=True)
class TransferDraw(PairDraw):
    """Pairs, and how A is to be painted into another crop of its own photo."""

    own_change: Change
    concealment: Concealment


def draw_noisy(train: Sampler, schedule: Schedule, generator: torch.Generator) -> NoisyDraw:
    """Any views of ``train``."""
    source = torch.randint(len(train), (schedule.batch,), generator=generator)
    change = Change.draw(schedule.batch, generator, schedule.flip, schedule.zoom)
    noise = torch.randint(2**62, (schedule.batch,), generator=generator)
    return NoisyDraw(_names(train, source), source, change, noise)


def draw_backed(train: Sampler, schedule: Schedule, generator: torch.Generator) -> BackedDraw:
    """Any views of ``train``, each with any other one."""
    noisy = draw_noisy(train, schedule, generator)
    other = torch.randint(len(train), (schedule.batch,), generator=generator)
    return BackedDraw(**vars(noisy), other=other)


def draw_pairs(
    train: Sampler,
    matches: Tensor,
    schedule: Schedule,
    generator: torch.Generator,
    anyone: float = 0.0,
    own: float = 0.0,
) -> PairDraw:
    """Any views, each with a pseudo label of its ``matches`` (N, K).

    A share ``anyone`` goes with any other view instead, and of the rest a share ``own`` with itself.
    """
    batch = schedule.batch
    source = torch.randint(len(train), (batch,), generator=generator)
    choice = torch.randint(matches.shape[1], (batch,), generator=generator)
    other = torch.randint(len(train), (batch,), generator=generator)
    is_anyone = torch.rand(batch, generator=generator) < anyone
    is_own = torch.rand(batch, generator=generator) < own
    target = torch.where(is_anyone, other, torch.where(is_own, source, matches[source, choice]))
    changes = [Change.draw(batch, generator, schedule.flip, schedule.zoom) for _ in range(2)]
    return PairDraw(_names(train, source, target), source, changes[0], target, changes[1], is_anyone)


def draw_transfers(
    train: Sampler, matches: Tensor, schedule: Schedule, generator: torch.Generator, anyone: float = 0.0
) -> TransferDraw:
    """Pairs as `draw_pairs` draws them, with another crop of each source and what to hide of it."""
    pairs = draw_pairs(train, matches, schedule, generator, anyone)
    crop = Change.draw(schedule.batch, generator, flip=False, zoom=schedule.zoom)
    crop = replace(crop, flip=pairs.source_change.flip)  # a mirrored photo is mirrored in both
    concealment = Concealment.draw(schedule.batch, generator)
    return TransferDraw(**vars(pairs), own_change=crop, concealment=concealment)


def noise_like(images: Tensor, seeds: Tensor) -> Tensor:
    """Normal noise of the shape of ``images`` (B, …), each sample's from its own seed (B,); the same on any device."""
    made = [torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds.tolist()]
    return torch.stack(made).to(images.device)


def _names(train: Sampler, *indices: Tensor) -> tuple[str, ...]:
    rows: Sequence[list[int]] = torch.stack(indices, 1).tolist()
    return tuple(" → ".join(train.names[index] for index in row) for row in rows)
