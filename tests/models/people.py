"""A person made of boxes, for tests of networks: pose, map and photo in a small frame."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.batch import PersonBatch
from pgen.body.labels import Label
from tests.body.poses import STANDING, rescaled

#: Boxes (top, bottom, left, right) of the labels in the frame of 64 × 64 of :func:`standing`, painted in this order.
BOXES = {
    Label.HAIR: (4, 9, 27, 38),
    Label.FACE: (7, 13, 29, 36),
    Label.PANTS: (32, 46, 26, 39),
    Label.R_LEG: (46, 58, 26, 31),
    Label.L_LEG: (46, 58, 34, 39),
    Label.R_ARM: (14, 33, 21, 26),
    Label.L_ARM: (14, 33, 38, 43),
    Label.UPPER: (14, 32, 26, 38),
}


def standing(size: tuple[int, int] = (64, 64), move: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """The pose (1, 18, 2) of somebody who stands in the middle of a frame 64 pixels high, moved by (x, y)."""
    pose = torch.from_numpy(rescaled(STANDING, 0.5)).float()
    return pose[None] + torch.tensor([(size[1] - 64) / 2 + move[0], move[1]])


def boxes(size: tuple[int, int] = (64, 64), move: tuple[int, int] = (0, 0)) -> Tensor:
    """The parsing map (1, H, W) that belongs to :func:`standing`."""
    labels = torch.zeros(1, *size, dtype=torch.long)
    x, y = (size[1] - 64) // 2 + move[0], move[1]
    for label, (top, bottom, left, right) in BOXES.items():
        labels[:, top + y : bottom + y, left + x : right + x] = label
    return labels


def views(size: tuple[int, int] = (64, 64), count: int = 2, seed: int = 0) -> PersonBatch:
    """``count`` of these people on noise, each a little moved."""
    generator = torch.Generator().manual_seed(seed)
    moves = [(k % 3 - 1, k % 2) for k in range(count)]
    return PersonBatch(
        torch.rand(count, 3, *size, generator=generator) * 2 - 1,
        torch.cat([boxes(size, move) for move in moves]),
        torch.cat([standing(size, move) for move in moves]),
    )
