"""Joints and silhouettes as they are when they were estimated: not quite right, and some of them missing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batched import torso_lengths
from pgen.body.joints import Joint
from pgen.training.dice import Dice, shaped

_JITTER = 0.06  # standard deviation of a joint's error, in torso lengths
_LOST = 0.06  # share of joints that are not found
_ABSENT = 0.12  # share of samples without a silhouette

_LIMBS = (
    (Joint.R_ELBOW, Joint.R_WRIST),
    (Joint.L_ELBOW, Joint.L_WRIST),
    (Joint.R_KNEE, Joint.R_ANKLE),
    (Joint.L_KNEE, Joint.L_ANKLE),
    (Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR),
)
_LIMB_LOST = 0.04  # share of limbs that are not found as a whole


def estimated_poses(poses: Tensor, dice: Dice) -> Tensor:
    """Poses (B, 18, 2) with errors and gaps."""
    unit = torso_lengths(poses)[:, None, None].clamp_min(8)
    lost = dice.chance(_LOST, len(Joint))
    for limb, gone in zip(_LIMBS, dice.chance(_LIMB_LOST, len(_LIMBS)).unbind(1), strict=True):
        lost[:, list(limb)] |= gone[:, None]
    moved = poses + _JITTER * unit * dice.normal(*poses.shape[1:])
    return moved.masked_fill(lost[..., None], torch.nan)


def estimated_silhouettes(figures: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
    """Silhouettes (B, 1, h, w), 0 to 1, of figures bool (B, h, w), and which samples have one, bool (B,).

    Edges are blurred and run inside or outside of the true ones; some have holes, some take in what is beside.
    """
    size = (figures.shape[1], figures.shape[2])
    soft = figures.float()[:, None]
    for _ in range(2):
        soft = F.avg_pool2d(soft, 5, 1, 2, count_include_pad=False)
    edge = shaped(dice.uniform(0.25, 0.7)) + 0.12 * dice.field(1, 8, size)
    found = torch.sigmoid((soft - edge) * shaped(dice.uniform(8, 24)))
    hole = torch.sigmoid((dice.field(1, 10, size) - 2.2) * 8) * shaped(dice.chance(0.3))
    leak = torch.sigmoid((dice.field(1, 10, size) - 2.2) * 8) * shaped(dice.chance(0.2))
    return torch.maximum(found * (1 - hole), leak), ~dice.chance(_ABSENT)
