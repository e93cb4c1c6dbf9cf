"""How well the pose of a generated person is met: PCKh and the error in torso lengths, from detected joints."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.joints import HEAD_JOINTS, known_joints
from pgen.body.parts import torso_lengths

ALPHA = 0.5


def head_sizes(poses: Tensor) -> Tensor:
    """Head sizes in pixels (B,) of poses (B, 18, 2): the longer side of the box around the known head joints.

    The longer side hardly depends on whether the head is seen from the front or from the side. NaN with fewer than two
    of nose, eyes and ears, or where they coincide.
    """
    head = poses[:, list(HEAD_JOINTS)]
    there = known_joints(head)[..., None]
    low = torch.where(there, head, torch.inf).amin(1)
    high = torch.where(there, head, -torch.inf).amax(1)
    size = (high - low).amax(1)
    return torch.where((there.sum((1, 2)) >= 2) & (size > 0), size, torch.nan)


def pckh_counts(found: Tensor, true: Tensor, alpha: float = ALPHA) -> Tensor:
    """Of each person the joints that were met and those that were judged: float64 (B, 2).

    A joint of the true pose is met if the found one (both (B, 18, 2), NaN = missing) lies within ``alpha`` head sizes
    of it; an undetected joint is wrong. Joints that the true pose lacks are not judged, nor is a person without a head
    size. PCKh is the ratio of the sums (Andriluka et al. 2014, with the head size of `head_sizes`).
    """
    sizes = head_sizes(true)[:, None]
    distances = torch.linalg.vector_norm(found - true, dim=-1)
    judged = known_joints(true) & sizes.isfinite()
    met = judged & (distances <= alpha * sizes)  # comparisons with NaN are false
    return torch.stack([met.sum(1), judged.sum(1)], 1).double()


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
