"""How far joints are from where they should be, in torso lengths."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.parts import torso_lengths
from pgen.metrics.base import register
from pgen.metrics.pose_detectors import JointMetric


def joint_errors(found: Tensor, true: Tensor) -> Tensor:
    """Distances of detected joints from the true ones in the true torso's lengths: (B, 18).

    NaN where either joint is missing, or the torso's length is not known.
    """
    lengths = torso_lengths(true)[:, None]
    distances = torch.linalg.vector_norm(found - true, dim=-1) / lengths
    return torch.where(lengths > 0, distances, torch.nan)


def joint_error_sums(found: Tensor, true: Tensor) -> Tensor:
    """Of each person the sum of `joint_errors` and their number: float64 (B, 2). The mean error is their ratio."""
    errors = joint_errors(found, true)
    return torch.stack([errors.nansum(1), errors.isfinite().sum(1)], 1).double()


@register("joint-error")
class JointError(JointMetric):
    protocol = "mean distance of detected joints from the target pose, in torso lengths; undetected left out"
    higher_is_better = False

    def compare(self, found: Tensor, true: Tensor) -> Tensor:
        return joint_error_sums(found, true)
