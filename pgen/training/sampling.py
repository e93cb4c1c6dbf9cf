"""Everything random about one step's batch, drawn at once, so that any part of the batch can be made anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.utils.data import Dataset

from pgen.body.batch import PersonBatch
from pgen.data.dataset import Augmentation, PersonDataset, PersonSample, StoredBatch
from pgen.training.augment.self_reconstruction import Occlusion
from pgen.training.config import Schedule


@dataclass(frozen=True)
class SampledBatch:
    """The samples of one step: who they are and how they are changed. On the CPU; every field has B entries.

    It is drawn for the whole batch, from (seed, step) alone. Processes and micro-batches then take their `part` of it:
    together they have the same samples however many they are. The photos are added afterwards, where they are needed.
    """

    #: Fields that are indices of photos.
    roles: ClassVar[tuple[str, ...]] = ("source",)

    names: tuple[str, ...]  #: what to call each sample in a message
    source: Tensor  #: long (B,), indices of A
    source_change: Augmentation
    photos: Mapping[str, StoredBatch] = field(default_factory=dict, kw_only=True)  #: by role; empty: not loaded yet

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, which: slice) -> Self:
        parts = {one.name: getattr(self, one.name)[which] for one in fields(self) if one.name != "photos"}
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
        by_role = {role: photos[k * count : (k + 1) * count] for k, role in enumerate(self.roles)}
        return replace(self, photos=by_role)

    def load(self, dataset: Dataset[PersonSample]) -> Self:
        """The samples with their photos."""
        return self.with_photos(StoredBatch.collate([dataset[index] for index in self.photo_indices()]))

    def persons(self, role: str, device: torch.device | str = "cpu") -> PersonBatch:
        """The loaded people of one role, as they are, on ``device``."""
        return self.photos[role].to(device)


@dataclass(frozen=True)
class SampledPhotos(SampledBatch):
    """Single photos with noise of their own."""

    noise: Tensor  #: long (B,), the seed of each sample's noise


@dataclass(frozen=True)
class SampledPhotosWithBackgrounds(SampledPhotos):
    """Single photos, each with another one that may lend its background."""

    roles = ("source", "other")

    other: Tensor  #: long (B,), indices of the others


@dataclass(frozen=True)
class SampledPairs(SampledBatch):
    """Pairs of A and of the photo that says where A goes."""

    roles = ("source", "target")

    target: Tensor  #: long (B,), indices of the target
    target_change: Augmentation
    #: bool (B,): the target is anyone in any pose, for the pose alone; else a pseudo label, whose map is known
    has_random_pose: Tensor


@dataclass(frozen=True)
class SampledTransfers(SampledPairs):
    """Pairs, and how A is to be generated in another crop of its own photo."""

    second_change: Augmentation
    occlusion: Occlusion


def sample_photos(train: PersonDataset, schedule: Schedule, generator: torch.Generator) -> SampledPhotos:
    """Any photos of ``train``."""
    source = torch.randint(len(train), (schedule.batch,), generator=generator)
    change = Augmentation.draw(schedule.batch, generator, schedule.flip, schedule.zoom)
    noise = torch.randint(2**62, (schedule.batch,), generator=generator)
    return SampledPhotos(_name_samples(train, source), source, change, noise)


def sample_photos_with_backgrounds(
    train: PersonDataset, schedule: Schedule, generator: torch.Generator
) -> SampledPhotosWithBackgrounds:
    """Any photos of ``train``, each with any other one."""
    noisy = sample_photos(train, schedule, generator)
    other = torch.randint(len(train), (schedule.batch,), generator=generator)
    return SampledPhotosWithBackgrounds(**vars(noisy), other=other)


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
    itself.
    """
    batch = schedule.batch
    source = torch.randint(len(train), (batch,), generator=generator)
    choice = torch.randint(matches.shape[1], (batch,), generator=generator)
    other = torch.randint(len(train), (batch,), generator=generator)
    has_random_pose = torch.rand(batch, generator=generator) < random_pose_prob
    is_self = torch.rand(batch, generator=generator) < self_pair_prob
    target = torch.where(has_random_pose, other, torch.where(is_self, source, matches[source, choice]))
    changes = [Augmentation.draw(batch, generator, schedule.flip, schedule.zoom) for _ in range(2)]
    return SampledPairs(_name_samples(train, source, target), source, changes[0], target, changes[1], has_random_pose)


def sample_transfers(
    train: PersonDataset, matches: Tensor, schedule: Schedule, generator: torch.Generator, random_pose_prob: float = 0.0
) -> SampledTransfers:
    """Pairs as `sample_pairs` draws them, with another crop of each source and what to hide of it."""
    pairs = sample_pairs(train, matches, schedule, generator, random_pose_prob)
    crop = Augmentation.draw(schedule.batch, generator, flip=False, zoom=schedule.zoom)
    crop = replace(crop, flip=pairs.source_change.flip)  # a mirrored photo is mirrored in both
    occlusion = Occlusion.draw(schedule.batch, generator)
    return SampledTransfers(**vars(pairs), second_change=crop, occlusion=occlusion)


def sample_noise(images: Tensor, seeds: Tensor) -> Tensor:
    """Normal noise of the shape of ``images`` (B, …), each sample's from its own seed (B,); the same on any device."""
    noise = [torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds.tolist()]
    return torch.stack(noise).to(images.device)


def _name_samples(train: PersonDataset, *indices: Tensor) -> tuple[str, ...]:
    rows: Sequence[list[int]] = torch.stack(indices, 1).tolist()
    return tuple(" → ".join(train.names[index] for index in row) for row in rows)
