"""Training batches read from a store as they are needed, for data sets that do not fit the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pgen.body.batched import part_affines
from pgen.body.joints import FLIP_JOINTS
from pgen.body.labels import FLIP_LABELS
from pgen.data.example import Split
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.models.inputs import Views

_SWAPPED = np.array(FLIP_LABELS, np.uint8)


@dataclass(frozen=True)
class UnpairedBatch:
    """B samples: a person A, and the pose and parsing map of some B in which A is to be seen.

    Images and labels are bytes, a quarter and an eighth of what networks take: `source` makes that on the device.
    """

    images: Tensor  # uint8 (B, 3, H, W) RGB of A
    labels: Tensor  # uint8 (B, H, W) of A, ids 0-9
    poses: Tensor  # float32 (B, 18, 2) of A, (x, y) in pixels, NaN = missing
    target_labels: Tensor  # uint8 (B, H, W) of B
    target_poses: Tensor  # float32 (B, 18, 2) of B
    affines: Tensor  # float32 (B, 10, 2, 3) of the parts, from B's pixels to A's
    indices: Tensor  # int64 (B,) of A in the store
    target_indices: Tensor  # int64 (B,) of B

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, device: torch.device | str) -> UnpairedBatch:
        """The batch on ``device``."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> UnpairedBatch:
        """The batch in memory that GPUs copy from fast; a DataLoader with ``pin_memory=True`` calls it."""
        return self._each(Tensor.pin_memory)

    def source(self) -> Views:
        """A as networks see it: image in [−1, 1], labels long."""
        return Views(self.images.float() / 127.5 - 1, self.labels.long(), self.poses)

    def _each(self, change: Callable[[Tensor], Tensor]) -> UnpairedBatch:
        return UnpairedBatch(*(change(getattr(self, field.name)) for field in fields(self)))


class UnpairedBatches(Dataset[UnpairedBatch]):
    """Batches of one split of a store by their number; any of them can be made anywhere, in any order.

    Every image is A once in each round through the data, in an order of its own; B is any other image, or one of A's
    ``matches``. A and B are mirrored half of the time, each for itself, if ``flip``. All of it depends on ``seed`` and
    the batch's number alone. ``batch`` counts the samples of all ``world`` processes: that of ``rank`` gets every
    world-th of them, so that together they see the same batches however many they are.

    Use it with ``DataLoader(batches, batch_size=None, num_workers=2)``, which keeps the order; to go on from step n,
    with ``sampler=range(n, len(batches))``. Its length is the number of batches in ``rounds`` rounds.

    Args:
        matches: int (N, K) for all images of the store: indices that may be B, −1 for none; pseudo labels, for example.

    Raises:
        InputError: the split has fewer than two images, or one without matches.
        ValueError: ``batch`` is no multiple of ``world``, or ``rank`` is not below it.
    """

    def __init__(
        self,
        store: Store,
        split: Split = "train",
        *,
        batch: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        flip: bool = True,
        rounds: int = 1,
        matches: NDArray[np.integer] | None = None,
    ) -> None:
        if not 0 <= rank < world or batch < 1 or batch % world:
            raise ValueError(f"rank {rank} of {world} cannot have its share of {batch} samples")
        self.indices = store.indices(split)
        if len(self.indices) < 2:
            raise InputError(f"{store.path} has {len(self.indices)} {split} images, too few to pair; prepare more")
        self.store, self.batch, self.seed, self.flip, self.rounds = store, batch, seed, flip, rounds
        self.share = slice(rank, None, world)
        self.matches = matches
        if matches is not None:
            alone = self.indices[(np.asarray(matches)[self.indices] < 0).all(axis=1)]
            if len(alone):
                raise InputError(f"{store.path}: {store.names[alone[0]]} has no match; find the matches again")
        self._orders: dict[int, NDArray[np.int64]] = {}  # of the last rounds

    def __len__(self) -> int:
        return self.rounds * len(self.indices) // self.batch

    def __getitem__(self, number: int) -> UnpairedBatch:
        if not 0 <= number < len(self):
            raise IndexError(f"batch {number} of {len(self)}")
        source, target, flips = self._chosen(number)
        images = [_mirrored(self.store.image(at), flip) for at, flip in zip(source, flips[:, 0], strict=True)]
        labels, poses = self._annotations(source, flips[:, 0])
        target_labels, target_poses = self._annotations(target, flips[:, 1])
        return UnpairedBatch(
            images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2),
            labels=labels,
            poses=poses,
            target_labels=target_labels,
            target_poses=target_poses,
            affines=part_affines(poses, target_poses),
            indices=torch.from_numpy(source),
            target_indices=torch.from_numpy(target),
        )

    def _chosen(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """This process's share of batch ``number``: indices of A and of B, and whether each is mirrored (B, 2)."""
        count = len(self.indices)
        drawn = np.arange(number * self.batch, (number + 1) * self.batch)
        places = np.array([self._round(at // count)[at % count] for at in drawn.tolist()])
        rng = np.random.default_rng([self.seed, 1, number])
        source, target = self.indices[places], self.indices[(places + rng.integers(1, count, self.batch)) % count]
        if self.matches is not None:
            candidates = np.asarray(self.matches)[source].astype(np.int64)
            choice = np.floor(rng.random(self.batch) * (candidates >= 0).sum(axis=1)).astype(np.int64)
            first = np.argsort(candidates < 0, axis=1, kind="stable")  # those that are matches come first
            target = candidates[np.arange(self.batch), first[np.arange(self.batch), choice]]
        flips = (rng.random((self.batch, 2)) < 0.5) & self.flip
        return source[self.share], target[self.share], flips[self.share]

    def _round(self, number: int) -> NDArray[np.int64]:
        """The order of the images in round ``number``."""
        if number not in self._orders:
            self._orders = dict(list(self._orders.items())[-1:])  # a batch may end one round and begin the next
            self._orders[number] = np.random.default_rng([self.seed, 0, number]).permutation(len(self.indices))
        return self._orders[number]

    def _annotations(self, indices: NDArray[np.int64], flips: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        """Parsing maps (B, H, W) and poses (B, 18, 2), mirrored where ``flips`` (B,) says so."""
        maps = [_mirrored(self.store.parsing(at), flip) for at, flip in zip(indices, flips, strict=True)]
        maps = [_SWAPPED[ids] if flip else ids for ids, flip in zip(maps, flips, strict=True)]
        poses = self.store.poses[indices]
        other = poses[:, list(FLIP_JOINTS)]
        other[..., 0] = self.store.size[1] - 1 - other[..., 0]
        poses = np.where(flips[:, None, None], other, poses)
        return torch.from_numpy(np.stack(maps)), torch.from_numpy(poses)


def _mirrored(pixels: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    return pixels[:, ::-1] if flip else pixels
