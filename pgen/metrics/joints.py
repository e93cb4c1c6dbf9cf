"""Scores of the joints that a detector finds in generated images: PCKh, and how far they are from the true ones."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.joints import HEAD_JOINTS, known_joints
from pgen.body.parts import torso_lengths
from pgen.metrics.base import Batch, Metric, MetricOptions, UnavailableError, register
from pgen.metrics.pose_detectors import find_detector

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
    """Of each person the joints that are met and those that count: float64 (B, 2).

    A joint of the true pose is met if the found one (both (B, 18, 2), NaN = missing) lies within ``alpha`` head sizes
    of it; an undetected joint is wrong. Joints that the true pose lacks do not count, nor does a person without a head
    size. PCKh is the ratio of the sums (Andriluka et al. 2014, with the head size of `head_sizes`).
    """
    sizes = head_sizes(true)[:, None]
    distances = torch.linalg.vector_norm(found - true, dim=-1)
    counted = known_joints(true) & sizes.isfinite()
    met = counted & (distances <= alpha * sizes)  # comparisons with NaN are false
    return torch.stack([met.sum(1), counted.sum(1)], 1).double()


def joint_errors(found: Tensor, true: Tensor) -> Tensor:
    """Distances of detected joints from the true ones in the true torso's lengths: (B, 18).

    NaN where either joint is missing, or the torso's length is not known.
    """
    lengths = torso_lengths(true)[:, None]
    distances = torch.linalg.vector_norm(found - true, dim=-1) / lengths
    return torch.where(lengths > 0, distances, torch.nan)


#: Part of the protocols of all that asks a detector.
WHO = "of several people found, the one whose box of joints agrees best with that of the asked pose"


class DetectorMetric(Metric):
    """A score of the people that a detector finds in results."""

    needs_truth = False
    heeds: tuple[str, ...] = ("detector",)

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        if options.detector is None:
            raise UnavailableError("there is no pose detector; name mediapipe, or a weights file with a detector")
        self.detector, self.weights, self.libraries = find_detector(options.detector, options.device)


class JointMetric(DetectorMetric):
    needs = ("poses",)

    def find_poses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The joints that are found and those that were asked for, (B, 18, 2), but for what no image can show."""
        height, width = batch.generated.shape[2:]
        is_within = (batch.poses > -0.5) & (batch.poses < torch.tensor([width, height]) - 0.5)
        asked = batch.poses.where(is_within.all(-1, keepdim=True), torch.nan)
        return self.detector(batch.generated, asked), asked


@register("pckh")
class Pckh(JointMetric):
    protocol = (
        f"α = {ALPHA}, head size = longer side of the box of nose, eyes and ears; undetected = wrong, joints beyond "
        f"the picture left out; {WHO}"
    )
    higher_is_better = True

    def rows(self, batch: Batch) -> Tensor:
        return pckh_counts(*self.find_poses(batch))


@register("joint-error")
class JointError(JointMetric):
    protocol = f"mean distance of detected joints from the target pose, in torso lengths; undetected left out; {WHO}"
    higher_is_better = False

    def rows(self, batch: Batch) -> Tensor:
        errors = joint_errors(*self.find_poses(batch))
        return torch.stack([errors.nansum(1), errors.isfinite().sum(1)], 1).double()
