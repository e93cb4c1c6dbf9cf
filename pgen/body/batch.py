"""A batch of people: photos, parsing maps and poses on one device, and what every room does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.joints import FLIP_JOINTS
from pgen.body.labels import FLIP_LABELS, LABEL_COUNT, Label
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.warp import Size, resize_labels


class TensorBatch:
    """A dataclass of tensors with B entries each, or None; ``batch[which]`` has those at a slice or bool (B,)."""

    def apply(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor changed."""
        return type(self)(*(None if value is None else change(value) for value in vars(self).values()))

    def __getitem__(self, which: slice | Tensor) -> Self:
        return self.apply(lambda tensor: tensor[which])


@dataclass
class PersonBatch(TensorBatch):
    """A batch of B photos of people, on the device."""

    images: Tensor  #: (B, 3, H, W) in [−1, 1]
    labels: Tensor  #: long (B, H, W), ids 0–9
    poses: Tensor  #: (B, 18, 2), (x, y) in pixels, NaN = missing

    @property
    def size(self) -> Size:
        return (self.labels.shape[-2], self.labels.shape[-1])

    def one_hot(self) -> Tensor:
        """Parsing map (B, 10, H, W) of 0 and 1."""
        return one_hot(self.labels)

    def where(self, which: Tensor, others: PersonBatch) -> PersonBatch:
        """These people where ``which``, bool (B,), is true, else ``others``."""
        return PersonBatch(
            torch.where(which[:, None, None, None], self.images, others.images),
            torch.where(which[:, None, None], self.labels, others.labels),
            torch.where(which[:, None, None], self.poses, others.poses),
        )

    def halve(self) -> PersonBatch:
        """The same people at half their size."""
        size = (self.size[0] // 2, self.size[1] // 2)
        return PersonBatch(F.avg_pool2d(self.images, 2), resize_labels(self.labels, size), downscale_poses(self.poses))


def replace_parsing_by_pose_masks(persons: PersonBatch) -> PersonBatch:
    """``persons`` with their pose masks, as upper clothes, in place of the parsing maps."""
    mask = pose_masks(persons.poses, persons.size, pose_mask_radius(persons.size))[:, 0]
    return PersonBatch(persons.images, mask.long() * Label.UPPER, persons.poses)


def flip_persons(persons: PersonBatch, which: Tensor) -> PersonBatch:
    """Mirror the samples where ``which`` (B,) is True; left and right joints and labels change places."""
    swap = torch.tensor(FLIP_LABELS, device=persons.labels.device)
    poses = flip_poses(persons.poses, persons.size[1])
    return PersonBatch(persons.images.flip(3), swap[persons.labels].flip(2), poses).where(which, persons)


def flip_poses(poses: Tensor, width: int) -> Tensor:
    """Poses (B, 18, 2) as a mirror shows them in a frame of ``width`` pixels."""
    poses = poses[:, list(FLIP_JOINTS)]
    return torch.stack([width - 1 - poses[..., 0], poses[..., 1]], -1)


def flip_maps(maps: Tensor) -> Tensor:
    """Maps of labels (B, 10, H, W), such as logits, as a mirror shows them; left and right change places.

    More channels, which are no labels, stay behind them.
    """
    return maps.flip(3)[:, [*FLIP_LABELS, *range(LABEL_COUNT, maps.shape[1])]]


def downscale_poses(poses: Tensor, factor: int = 2) -> Tensor:
    """Poses in the pixels of a frame ``factor`` times smaller."""
    return (poses + 0.5) / factor - 0.5


def one_hot(labels: Tensor) -> Tensor:
    """Label ids (B, H, W) → float (B, 10, H, W), channels-last in memory."""
    maps = torch.zeros(*labels.shape, LABEL_COUNT, device=labels.device)
    return maps.scatter_(3, labels[..., None], 1.0).permute(0, 3, 1, 2)


def find_likeliest(scores: Tensor) -> Tensor:
    """Each pixel's likeliest label, long (B, ...), by ``scores`` (B, 10, ...); of equal ones the first.

    On the CPU, `argmax` of maps takes six times as long.
    """
    return scores.max(1).indices


def straight_through_one_hot(logits: Tensor) -> Tensor:
    """One-hot map (B, 10, H, W) of each pixel's likeliest label, with the gradient of the softmax (straight through).

    A discriminator would know a soft map from a true one by its softness alone.
    """
    soft = logits.softmax(1)
    return one_hot(find_likeliest(logits)) + soft - soft.detach()


def to_float(images: Tensor) -> Tensor:
    """Images (..., 3, H, W) of bytes in [−1, 1], float32."""
    return images.float() / 127.5 - 1


def to_uint8(images: Tensor) -> Tensor:
    """Images (..., 3, H, W) in [−1, 1] as they would be saved: uint8."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().byte()


def to_pictures(images: Tensor) -> NDArray[np.uint8]:
    """Images (B, 3, H, W) in [−1, 1] as arrays (B, H, W, 3), to be drawn or saved."""
    return to_uint8(images).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def from_pictures(pictures: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Arrays (B, H, W, 3) of bytes as images (B, 3, H, W) in [−1, 1]."""
    return to_float(torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2))


_GREY = 2 / 255  # by which channels of a grey photo in [-1, 1] differ at most, resampled


def keep_grey(images: Tensor, sources: Tensor) -> Tensor:
    """``images`` (B, 3, H, W) without color where ``sources`` (B or 1, 3, H, W), which they are of, have none."""
    has_color = (sources.amax(1) - sources.amin(1)).flatten(1).amax(1) > _GREY
    weights = images.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    grey = (images * weights).sum(1, keepdim=True).expand_as(images)
    return torch.where(has_color[:, None, None, None], images, grey)
