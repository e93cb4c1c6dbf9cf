"""Joints and silhouettes as they are when they were estimated: not quite right, and some of them missing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.joints import Joint
from pgen.body.parts import torso_lengths
from pgen.training.augment.batch_rng import BatchRng, to_image_shape

# Standard deviation of a joint's error in x and in y, in torso lengths; how much it differs between samples, as the
# deviation of its logarithm; and how much more it is for hips and for a share of wild joints.
_JITTER, _SPREAD, _HIPS, _WILD, _WILD_SHARE = 0.02, 0.6, 1.8, 5.0, 0.06
_LOST = 0.03  # share of joints that are not found
_ABSENT = 0.06  # share of samples without a silhouette
_ROUGH = 0.2  # share of silhouettes that are more than slightly wrong

_LIMBS = (
    (Joint.R_ELBOW, Joint.R_WRIST),
    (Joint.L_ELBOW, Joint.L_WRIST),
    (Joint.R_KNEE, Joint.R_ANKLE),
    (Joint.L_KNEE, Joint.L_ANKLE),
    (Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR),
)
_LIMB_LOST = 0.03  # share of limbs that are not found as a whole


def perturb_poses(poses: Tensor, rng: BatchRng) -> Tensor:
    """Poses (B, 18, 2) with errors and gaps."""
    unit = torso_lengths(poses)[:, None, None].clamp_min(8)
    lost = rng.chance(_LOST, len(Joint))
    for limb, gone in zip(_LIMBS, rng.chance(_LIMB_LOST, len(_LIMBS)).unbind(1), strict=True):
        lost[:, list(limb)] |= gone[:, None]
    error = _JITTER * torch.exp(_SPREAD * rng.normal(1)).expand(-1, len(Joint)).clone()
    error[:, [Joint.R_HIP, Joint.L_HIP]] *= _HIPS
    error = torch.where(rng.chance(_WILD_SHARE, len(Joint)), _WILD, 1.0) * error
    moved = poses + unit * error[..., None] * rng.normal(*poses.shape[1:])
    return moved.masked_fill(lost[..., None], torch.nan)


def perturb_silhouettes(figures: Tensor, rng: BatchRng) -> tuple[Tensor, Tensor]:
    """Silhouettes (B, 1, h, w), 0 to 1, of figures bool (B, h, w), and which samples have one, bool (B,).

    Edges are blurred and run inside or outside of the true ones; some have holes, some take in what is beside.
    """
    size = (figures.shape[1], figures.shape[2])
    soft = figures.float()[:, None]
    for _ in range(2):
        soft = F.avg_pool2d(soft, 5, 1, 2, count_include_pad=False)
    rough = rng.chance(_ROUGH)
    spread = to_image_shape(torch.where(rough, 1.0, 0.25))
    edge = 0.47 + spread * (to_image_shape(rng.uniform(-0.22, 0.22)) + 0.12 * rng.field(1, 8, size))
    found = torch.sigmoid((soft - edge) * to_image_shape(rng.uniform(10, 20)))
    if rough.any():
        some = rng.select(rough)
        hole = torch.sigmoid((some.field(1, 10, size) - 2.2) * 8) * to_image_shape(some.chance(0.5))
        leak = torch.sigmoid((some.field(1, 10, size) - 2.2) * 8) * to_image_shape(some.chance(0.4))
        found[rough] = torch.maximum(found[rough] * (1 - hole), leak)
    return found, ~rng.chance(_ABSENT)
