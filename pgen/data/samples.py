"""Training batches: views drawn from a store, mirrored and zoomed at random."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batched import known
from pgen.body.joints import FLIP_JOINTS, TORSO_JOINTS
from pgen.body.labels import FLIP_LABELS
from pgen.data.example import Split
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.models.inputs import Views


class Sampler:
    """Views of one split of a store, held in memory as bytes; an index counts within the split."""

    def __init__(self, store: Store, split: Split = "train") -> None:
        self.indices = store.indices(split)
        if not len(self.indices):
            raise InputError(f"{store.path}: no {split} images; prepare the data set with some")
        self.images = torch.from_numpy(np.stack([store.image(i) for i in self.indices])).permute(0, 3, 1, 2)
        self.labels = torch.from_numpy(np.stack([store.parsing(i) for i in self.indices]))
        self.poses = torch.from_numpy(np.asarray(store.poses)[self.indices])
        self.persons = [store.persons[i] for i in self.indices]
        self.names = [store.names[i] for i in self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def size(self) -> tuple[int, int]:
        return (self.images.shape[2], self.images.shape[3])

    def views(self, indices: Tensor, device: torch.device | str = "cpu") -> Views:
        """The views at ``indices`` (B,), as they are."""
        return Views(
            self.images[indices].to(device).float() / 127.5 - 1,
            self.labels[indices].to(device).long(),
            self.poses[indices].to(device),
        )


def mirrored(views: Views, which: Tensor) -> Views:
    """Mirror the samples where ``which`` (B,) is True; left and right joints and labels change places."""
    swap = torch.tensor(FLIP_LABELS, device=views.labels.device)
    width = views.size[1]
    poses = views.poses[:, list(FLIP_JOINTS)].clone()
    poses[..., 0] = width - 1 - poses[..., 0]
    return Views(
        torch.where(which[:, None, None, None], views.images.flip(3), views.images),
        torch.where(which[:, None, None], swap[views.labels].flip(2), views.labels),
        torch.where(which[:, None, None], poses, views.poses),
    )


def zoomed(views: Views, zoom: Tensor, shift: Tensor) -> Views:
    """Enlarge each sample by ``zoom`` (B,) about its centre and move it by ``shift`` (B, 2), in frame sizes, (x, y).

    Joints that leave the frame become missing; a sample that would lose a shoulder or hip stays as it was.
    """
    height, width = views.size
    frame = torch.tensor([width, height], device=views.poses.device)
    centre = (frame - 1) / 2
    poses = (views.poses - centre) * zoom[:, None, None] + centre + shift[:, None] * frame
    inside = ((poses > -0.5) & (poses < frame - 0.5)).all(-1, keepdim=True)
    poses = torch.where(inside, poses, torch.nan)
    whole = known(poses)[:, list(TORSO_JOINTS)].all(1)
    theta = torch.zeros(len(zoom), 2, 3, device=views.images.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom
    theta[:, :, 2] = -2 * shift / zoom[:, None]
    with torch.autocast(theta.device.type, enabled=False):  # in bf16 the grid would be a quarter of a pixel off
        grid = F.affine_grid(theta, list(views.images.shape), align_corners=False)
    images = F.grid_sample(views.images, grid, padding_mode="border", align_corners=False)
    labels = views.labels[:, None].float()
    labels = F.grid_sample(labels, grid, mode="nearest", padding_mode="border", align_corners=False)[:, 0].long()
    return Views(
        torch.where(whole[:, None, None, None], images, views.images),
        torch.where(whole[:, None, None], labels, views.labels),
        torch.where(whole[:, None, None], poses, views.poses),
    )


@dataclass(frozen=True)
class Change:
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

    def __getitem__(self, which: slice) -> Change:
        return Change(self.flip[which], self.zoom[which], self.shift[which])


def augmented(views: Views, change: Change) -> Views:
    """The views, mirrored and zoomed as ``change`` says."""
    device = views.poses.device
    if change.flip.any():
        views = mirrored(views, change.flip.to(device))
    if change.shift.any() or (change.zoom != 1).any():
        views = zoomed(views, change.zoom.to(device), change.shift.to(device))
    return views
