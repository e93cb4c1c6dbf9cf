"""What hangs over both legs, such as skirts and coats: one cloth from the hips down, spread evenly over its width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.joints import Joint, known_joints
from pgen.body.limb_fields import find_spine, torso_length

#: How far beyond hips and legs the cloth that is spread reaches, and at least so far from their middle and so far below
#: the hips are the legs' ends, however they are held, in torso lengths.
_MARGIN, _NARROWEST, _SHORTEST = 0.15, 0.1, 0.4
#: From the hips to this share of the way down the trunk's place goes over into that of the cloth.
_WAIST = 0.3
_STEPS = 12  # in which the place within the cloth is found, to a tenth of a pixel in photos of 384


@dataclass(frozen=True)
class Cloth:
    """Where the cloth is in a pose: a quadrilateral, and its unit vectors (x, y) down and across, float32."""

    corners: Tensor  #: (4, 2): right and left hip, right and left end
    down: Tensor  #: (2,)
    across: Tensor  #: (2,)
    unit: float  #: torso length, pixels

    @classmethod
    def of(cls, pose: NDArray[np.floating], hips: NDArray[np.float64], ends: tuple[Joint, Joint]) -> Cloth | None:
        """Between ``hips`` (2, 2), right and left, and both ``ends`` of legs of ``pose`` (18, 2); None without them."""
        if not known_joints(pose)[list(ends)].all():
            return None
        unit, down = torso_length(pose), find_spine(pose)
        across = np.copysign(1.0, (hips[1] - hips[0]) @ (-down[1], down[0])) * np.array([-down[1], down[0]])
        # Legs may be crossed, or change sides from the side: the cloth is not.
        low = np.array(sorted(np.asarray(pose[list(ends)], np.float64), key=lambda end: float(end @ across)))
        low += down * (_SHORTEST * unit - (low - hips.mean(0)) @ down).clip(min=0)[:, None]
        wider = max(_NARROWEST * unit - float((low[1] - low[0]) @ across) / 2, 0)
        margins = np.array([0.0, 0, wider, wider]) + _MARGIN * unit
        corners = np.concatenate([hips, low]) + np.outer(margins * (-1, 1, -1, 1), across)
        tensors = [torch.from_numpy(np.asarray(one, np.float32)) for one in (corners, down, across)]
        return cls(tensors[0], tensors[1], tensors[2], unit)

    def place(self, along: Tensor, aside: Tensor) -> Tensor:
        """The points (N, 2) at shares (N,) of the way from the hips down, and from the right to the left."""
        along, aside = along[:, None], aside[:, None]
        right, left = (self.corners[k].lerp(self.corners[k + 2], along) for k in (0, 1))
        return right.lerp(left, aside)

    def find(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """These shares (N,) of ``points`` (N, 2), less than 0 or more than 1 for those beside the cloth."""
        upper, lower = self.corners[:2], self.corners[2:]
        aside = torch.full((len(points),), 0.5)
        for _ in range(_STEPS):
            share = aside.clamp(0, 1)[:, None]
            start, end = upper[0].lerp(upper[1], share), lower[0].lerp(lower[1], share)
            along = _project(points, start, end)
            share = along.clamp(0, 1)[:, None]
            aside = _project(points, upper[0].lerp(lower[0], share), upper[1].lerp(lower[1], share))
        return along, aside


def _project(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Shares (N,) of the ways from ``start`` to ``end``, both (N, 2), at which ``points`` are."""
    way = end - start
    return ((points - start) * way).sum(1) / way.square().sum(1).clamp_min(1e-6)


def carry_cloth(source: Cloth, target: Cloth, points: Tensor, trunk: Tensor) -> Tensor:
    """Where in the source (N, 2) ``points`` (N, 2) of the target come from; ``trunk`` (N, 2) as the trunk has it.

    Beside the cloth it goes on rigidly.
    """
    along, aside = target.find(points)
    inner = along.clamp(0, 1), aside.clamp(0, 1)
    beyond = (points - target.place(*inner)) * (source.unit / max(target.unit, 1e-6))
    turned = beyond @ torch.stack([target.down, target.across], 1) @ torch.stack([source.down, source.across])
    share = (along / _WAIST).clamp(0, 1)[:, None]
    return trunk.lerp(source.place(*inner) + turned, share.square() * (3 - 2 * share))
