"""People of a store as a torch data set, and how samples of them are mirrored and zoomed."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pgen.body.batch import PersonBatch, TensorBatch, flip_persons, to_float
from pgen.body.crop import Letterbox, has_same_shape
from pgen.body.joints import TORSO_JOINTS, known_joints
from pgen.body.transfer import Transfer
from pgen.data.example import Split
from pgen.data.store import Store
from pgen.errors import InputError

#: A split that would need more than this is read from the file.
_SHARE_OF_MEMORY = 0.3

#: What a store of synthetic people has as its source.
SYNTHETIC = "synthetic"

#: Masks (2, 1, 1) where nothing is known.
_NO_MASKS = torch.tensor([255, 0], dtype=torch.uint8)[:, None, None]


@dataclass(frozen=True)
class PersonSample:
    """A person of a store, as it is stored."""

    image: Tensor  #: uint8 (3, H, W) RGB, channels last in memory
    labels: Tensor  #: uint8 (H, W), ids 0–9
    pose: Tensor  #: float32 (18, 2), (x, y) in pixels, NaN = missing
    name: str
    person: str
    masks: Tensor | None = None  #: see `StoredBatch.masks`: uint8 (2, H, W)
    is_rendered: bool = False  #: a synthetic person, not a photo
    is_estimated: bool = False  #: the map is an estimate


@dataclass(frozen=True)
class StoredBatch(TensorBatch):
    """B people as bytes: what is read ahead, and moved to the device."""

    images: Tensor  #: uint8 (B, 3, H, W) RGB, channels last in memory
    labels: Tensor  #: uint8 (B, H, W), ids 0–9
    poses: Tensor  #: float32 (B, 18, 2), (x, y) in pixels, NaN = missing
    is_rendered: Tensor  #: bool (B,): synthetic people, not photos
    is_estimated: Tensor  #: bool (B,): maps that are estimates
    #: uint8 (B, 2, H, W), where they are asked for: 1 = a thing that is carried, 255 = not known; and the silhouette
    #: that was estimated with the pose, 0–255, all 0 = none
    masks: Tensor | None = None

    @classmethod
    def collate(cls, samples: Sequence[PersonSample]) -> Self:
        """One or more samples, in their order."""
        images = torch.stack([sample.image.permute(1, 2, 0) for sample in samples]).permute(0, 3, 1, 2)
        labels, poses = (torch.stack([getattr(sample, name) for sample in samples]) for name in ("labels", "pose"))
        is_rendered, is_estimated = torch.tensor([(one.is_rendered, one.is_estimated) for one in samples]).unbind(1)
        masks = [sample.masks for sample in samples if sample.masks is not None]
        return cls(images, labels, poses, is_rendered, is_estimated, torch.stack(masks) if masks else None)

    def pin_memory(self) -> Self:
        """The same in memory that a GPU reads by itself."""
        return self.apply(Tensor.pin_memory)

    def to(self, device: torch.device | str) -> PersonBatch:
        """The people as networks see them, on ``device``."""
        there = self.apply(lambda tensor: tensor.to(device, non_blocking=True))
        return PersonBatch(to_float(there.images), there.labels.long(), there.poses)

    def extras(self, device: torch.device | str) -> PhotoExtras:
        """What the masks say, if there are any, on ``device``. Synthetic people carry nothing."""
        masks = _NO_MASKS.expand(len(self.labels), 2, *self.labels.shape[1:]) if self.masks is None else self.masks
        carried, silhouettes = masks.to(device, non_blocking=True)[:, :, None].unbind(1)
        is_rendered = self.is_rendered.to(device)
        is_known, has_silhouette = (carried[:, 0, 0, 0] <= 1) | is_rendered, silhouettes.flatten(1).bool().any(1)
        return PhotoExtras((carried == 1).float(), is_known, silhouettes.float() / 255, has_silhouette, is_rendered)


@dataclass(frozen=True)
class PhotoExtras(TensorBatch):
    """What is known of B photos beside their `PersonBatch`."""

    carried: Tensor  #: (B, 1, H, W), 0 or 1: a thing that is carried, such as a bag; 0 where it is not known
    knows_carried: Tensor  #: bool (B,)
    silhouettes: Tensor  #: (B, 1, H, W), 0 to 1, as estimated with the pose; 0 where there is none
    has_silhouette: Tensor  #: bool (B,): so the pose is an estimate as well
    is_rendered: Tensor  #: bool (B,): synthetic people, not photos


class PersonDataset(Dataset[PersonSample]):
    """People of one split of a store, or at some of its ``indices``; an index counts within them.

    Images and maps are kept in memory as bytes or, ``in_memory`` false, read from the file as they are asked for. By
    default it depends on how much of this machine's memory they would need in as many processes as are ``sharing`` it.
    ``with_masks`` samples tell what is carried, and silhouettes. People are scaled to ``size`` (height, width), if
    given. It may be pickled, and used after a fork: each process opens the file for itself.

    Raises:
        InputError: the split has no images, or they cannot be scaled down so; later, where the file is damaged.
    """

    def __init__(
        self,
        store: Store,
        split: Split = "train",
        in_memory: bool | None = None,
        sharing: int = 1,
        with_masks: bool = False,
        indices: NDArray[np.int64] | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.indices = store.indices(split) if indices is None else indices
        self.store, self.split, self.size = store, split, size or store.size
        self._fit = Letterbox.of(store.size, self.size)
        if self.size[0] > store.size[0] or not has_same_shape(self.size, store.size):
            wanted, has = ("x".join(map(str, sides)) for sides in (self.size, store.size))
            setting = f"frame=[{has.replace('x', ', ')}] (the parser's is parser.frame)"
            remedy = f"choose a preset of their size, set its {setting}, or prepare other data"
            raise InputError(
                f"{store.path}: photos of {has} cannot be scaled down to {wanted}; {remedy}", option="preset"
            )
        if not len(self.indices):
            raise InputError(f"{store.path}: no {split} images; prepare the data set with some")
        self.with_masks, self.is_rendered = with_masks, str(store.provenance.get("source")) == SYNTHETIC
        if in_memory is None:
            needed = 4 + 2 * (with_masks and bool(store.masks))  # bytes a pixel
            in_memory = sharing * len(self) * math.prod(self.size) * needed <= _SHARE_OF_MEMORY * _memory()
        self.poses = torch.from_numpy(np.asarray(store.poses)[self.indices])
        if self._is_scaled:
            self.poses = torch.from_numpy(self._fit.pose(self.poses.numpy()))
        self.persons = [store.persons[i] for i in self.indices]
        self.names = [store.names[i] for i in self.indices]
        self._stored: StoredBatch | None = None
        if in_memory:
            self._stored = StoredBatch.collate([self[index] for index in range(len(self))])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> PersonSample:
        masks = None
        if self._stored is not None:
            image, labels = self._stored.images[index], self._stored.labels[index]
            masks = None if self._stored.masks is None else self._stored.masks[index]
        else:
            row = self.indices[index]
            pixels = self.store.image(row)
            image = torch.from_numpy(self._fit.image(pixels) if self._is_scaled else pixels).permute(2, 0, 1)
            labels = self._read_labels(row)
            if self.with_masks and self.store.masks:
                known = (self.store.carried(row), self.store.silhouette(row))
                masks = _NO_MASKS.repeat(1, *self.size)
                for mask, values, is_soft in zip(masks, known, (False, True), strict=True):
                    if values is not None:
                        mask[:] = torch.from_numpy(self._fit.mask(values, is_soft))
        if self.with_masks and masks is None:
            masks = _NO_MASKS.expand(2, *self.size)
        who, is_estimated = (self.names[index], self.persons[index]), bool(self.store.is_estimated[self.indices[index]])
        return PersonSample(image, labels, self.poses[index], *who, masks, self.is_rendered, is_estimated)

    @property
    def is_in_memory(self) -> bool:
        return self._stored is not None

    @property
    def labels(self) -> Tensor:
        """All parsing maps, uint8 (N, H, W)."""
        if self._stored is not None:
            return self._stored.labels
        return torch.stack([self._read_labels(row) for row in self.indices])

    def _read_labels(self, row: int) -> Tensor:
        labels = self.store.parsing(row)
        return torch.from_numpy(self._fit.parsing(labels) if self._is_scaled else labels)

    @property
    def _is_scaled(self) -> bool:
        return self.size != self.store.size

    def list_parts(self) -> list[tuple[int, PersonDataset]]:
        """The data set of each file, with the index of its first person."""
        return [(0, self)]

    def draw_indices(self, count: int, generator: torch.Generator) -> Tensor:
        """Indices (count,) of people at random."""
        return torch.randint(len(self), (count,), generator=generator)

    def transfer(self, pairs: Tensor, device: torch.device | str = "cpu") -> Transfer:
        """The geometry of ``pairs`` (B, 2), (source, target) indices, by the affines that are stored of test pairs."""
        source, target = (self.poses[side].to(device) for side in pairs.T)
        return Transfer(source, target, self.size, self._find_affines(pairs))

    def _find_affines(self, pairs: Tensor) -> Tensor | None:
        stored = None if self._is_scaled else self.store.pair_affines(self.indices[pairs.numpy()], self.split)
        return None if stored is None else torch.from_numpy(stored)

    def load(self, indices: Tensor) -> StoredBatch:
        """The people at ``indices``, long (B,), as they are stored."""
        return StoredBatch.collate([self[index] for index in indices.tolist()])

    def batch(self, indices: Tensor, device: torch.device | str = "cpu") -> PersonBatch:
        """The people at ``indices``, long (B,), as they are."""
        return self.load(indices).to(device)


def _memory() -> float:
    """Bytes of memory this machine has; endless where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return math.inf


def zoom_persons(persons: PersonBatch, zoom: Tensor, shift: Tensor) -> PersonBatch:
    """Enlarge each sample by ``zoom`` (B,) about its center and move it by ``shift`` (B, 2), in frame sizes, (x, y).

    Joints that leave the frame become missing; a sample that would lose a shoulder or hip stays as it was.
    """
    height, width = persons.size
    frame = torch.tensor([width, height], device=persons.poses.device)
    center = (frame - 1) / 2
    poses = (persons.poses - center) * zoom[:, None, None] + center + shift[:, None] * frame
    inside = ((poses > -0.5) & (poses < frame - 0.5)).all(-1, keepdim=True)
    poses = torch.where(inside, poses, torch.nan)
    whole = known_joints(poses)[:, list(TORSO_JOINTS)].all(1)
    theta = torch.zeros(len(zoom), 2, 3, device=persons.images.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom
    theta[:, :, 2] = -2 * shift / zoom[:, None]
    with torch.autocast(theta.device.type, enabled=False):  # in bf16 the grid would be a quarter of a pixel off
        grid = F.affine_grid(theta, list(persons.images.shape), align_corners=False)
    images = F.grid_sample(persons.images, grid, padding_mode="border", align_corners=False)
    labels = persons.labels[:, None].float()
    labels = F.grid_sample(labels, grid, mode="nearest", padding_mode="border", align_corners=False)[:, 0].long()
    return PersonBatch(images, labels, poses).where(whole, persons)


@dataclass(frozen=True)
class Augmentation(TensorBatch):
    """How each of B samples is mirrored and zoomed; on the CPU."""

    flip: Tensor  #: bool (B,)
    zoom: Tensor  #: (B,), factors
    shift: Tensor  #: (B, 2), in frame sizes, (x, y)

    @classmethod
    def draw(cls, batch: int, generator: torch.Generator, flip: bool, zoom: float) -> Self:
        """Mirror half, if ``flip``, and zoom all by up to a factor of 1 + ``zoom``, with shifts of half that."""
        return cls(
            (torch.rand(batch, generator=generator) < 0.5) & flip,
            torch.exp((torch.rand(batch, generator=generator) * 2 - 1) * math.log1p(zoom)),
            (torch.rand(batch, 2, generator=generator) - 0.5) * zoom,
        )


def augment(persons: PersonBatch, change: Augmentation) -> PersonBatch:
    """The people, mirrored and zoomed as ``change`` says."""
    device = persons.poses.device
    if change.flip.any():
        persons = flip_persons(persons, change.flip.to(device))
    if change.shift.any() or (change.zoom != 1).any():
        persons = zoom_persons(persons, change.zoom.to(device), change.shift.to(device))
    return persons
