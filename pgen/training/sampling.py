"""Everything random about one step's batch, drawn at once, so that any part of the batch can be made anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self

import torch
from torch import Tensor
from torch.utils.data import Dataset

from pgen.body.batch import PersonBatch
from pgen.data.dataset import Augmentation, PersonDataset, PersonSample, StoredBatch
from pgen.training.augment.self_reconstruction import Occlusion
from pgen.training.config import Schedule


@dataclass(frozen=True)
class SampledBatch:
    """The samples of one step: who they are and how they are changed. On the CPU, B entries in each field.

    It is drawn for the whole batch, from (seed, step) alone. Processes and micro-batches then take their `part` of it:
    together they have the same samples however many they are. The photos are added afterwards, where they are needed.
    """

    names: tuple[str, ...]  #: what to call each sample in a message
    source: Tensor  #: long (B,), indices of A
    source_change: Augmentation
    roles: tuple[str, ...] = field(default=("source",), kw_only=True)  #: fields that are indices of photos to load
    photos: Mapping[str, StoredBatch] = field(default_factory=dict, kw_only=True)  #: by role; empty: not loaded yet

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, which: slice) -> Self:
        parts = {one.name: getattr(self, one.name)[which] for one in fields(self) if not one.kw_only}
        return replace(self, **parts, photos={role: photos[which] for role, photos in self.photos.items()})

    def part(self, index: int, count: int) -> Self:
        """Part ``index`` of ``count`` equal ones. Raises ValueError if the samples cannot be parted so."""
        if not 0 <= index < count or len(self) % count:
            raise ValueError(f"there is no part {index} of {count} of {len(self)} samples")
        share = len(self) // count
        return self[index * share : (index + 1) * share]

    def photo_indices(self) -> list[int]:
        """Which photos are to be loaded: those of the first role, of the second and so on."""
        return torch.cat([getattr(self, role) for role in self.roles]).tolist()

    def with_photos(self, photos: StoredBatch) -> Self:
        """The samples with the photos at `photo_indices`."""
        count = len(self)
        return replace(self, photos={r: photos[k * count : (k + 1) * count] for k, r in enumerate(self.roles)})

    def load(self, dataset: Dataset[PersonSample]) -> Self:
        """The samples with their photos."""
        return self.with_photos(StoredBatch.collate([dataset[index] for index in self.photo_indices()]))

    def persons(self, role: str, device: torch.device | str = "cpu") -> PersonBatch:
        """The loaded people of one role, as they are, on ``device``."""
        return self.photos[role].to(device)

    def weigh(self, role: str, estimated_weight: float, device: torch.device | str = "cpu") -> Tensor | None:
        """Weights (B,) of the loaded people of one role, whose maps may count less as estimates; None: all 1."""
        if estimated_weight == 1:
            return None
        return torch.where(self.photos[role].is_estimated.to(device), estimated_weight, 1.0)


@dataclass(frozen=True)
class SampledPhotos(SampledBatch):
    """Single photos with noise of their own, each with another one that may lend its background."""

    noise: Tensor  #: long (B,), the seed of each sample's noise
    other: Tensor  #: long (B,), indices of the others


@dataclass(frozen=True)
class SampledPairs(SampledBatch):
    """Pairs of A and of the photo that says where A goes, and how A is to be generated in another crop of its own."""

    roles: tuple[str, ...] = field(default=("source", "target"), kw_only=True)
    target: Tensor  #: long (B,), indices of the target
    target_change: Augmentation
    #: bool (B,): the target is anyone in any pose, for the pose alone; else a pseudo label, whose map is known
    has_random_pose: Tensor
    second_change: Augmentation
    occlusion: Occlusion


def sample_photos(
    train: PersonDataset, schedule: Schedule, generator: torch.Generator, with_others: bool = False
) -> SampledPhotos:
    """Any photos of ``train``; ``with_others`` the photos that lend backgrounds are to be loaded too."""
    source = train.draw_indices(schedule.batch, generator)
    change = Augmentation.draw(schedule.batch, generator, schedule.flip, schedule.zoom)
    noise = torch.randint(2**62, (schedule.batch,), generator=generator)
    other = train.draw_indices(schedule.batch, generator)
    roles = ("source", "other") if with_others else ("source",)
    return SampledPhotos(_name_samples(train, source), source, change, noise, other, roles=roles)


def sample_pairs(
    train: PersonDataset,
    matches: Tensor,
    schedule: Schedule,
    generator: torch.Generator,
    random_pose_prob: float = 0.0,
    self_pair_prob: float = 0.0,
) -> SampledPairs:
    """Any photos, each with a pseudo label of its ``matches`` (N, K).

    A share ``random_pose_prob`` goes with any other photo instead, and of the rest a share ``self_pair_prob`` with
    itself. Each source gets another crop, and what to hide of it.
    """
    batch = schedule.batch
    source = train.draw_indices(batch, generator)
    choice = torch.randint(matches.shape[1], (batch,), generator=generator)
    other = train.draw_indices(batch, generator)
    has_random_pose = torch.rand(batch, generator=generator) < random_pose_prob
    is_self = torch.rand(batch, generator=generator) < self_pair_prob
    target = torch.where(has_random_pose, other, torch.where(is_self, source, matches[source, choice]))
    first, second = (Augmentation.draw(batch, generator, schedule.flip, schedule.zoom) for _ in range(2))
    crop = Augmentation.draw(batch, generator, flip=False, zoom=schedule.zoom)
    crop = replace(crop, flip=first.flip)  # a mirrored photo is mirrored in both
    names, occlusion = _name_samples(train, source, target), Occlusion.draw(batch, generator)
    return SampledPairs(names, source, first, target, second, has_random_pose, crop, occlusion)


def sample_noise(images: Tensor, seeds: Tensor) -> Tensor:
    """Normal noise of the shape of ``images`` (B, …), each sample's from its own seed (B,); the same on any device."""
    noise = [torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds.tolist()]
    return torch.stack(noise).to(images.device)


def _name_samples(train: PersonDataset, *indices: Tensor) -> tuple[str, ...]:
    return tuple(" → ".join(train.names[index] for index in row) for row in torch.stack(indices, 1).tolist())
