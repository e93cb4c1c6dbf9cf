"""Which maps may be pseudo labels of which: other people's, in other poses, in the same kind of clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pgen.body.joints import Joint, known_joints
from pgen.body.parts import torso_lengths
from pgen.errors import InputError
from pgen.pseudo_labels.clothes import Clothes, measure_clothes

#: Joints on average within so many torso lengths: nearly the same pose.
SAME_POSE = 0.2
#: Sleeves and hems may end so far apart, in upper arms and thighs.
SAME_CLOTHES = 0.08


@dataclass(frozen=True)
class PermittedMatches:
    """A block of rows against all N maps: (rows, N)."""

    allowed: Tensor  #: bool: another person in another pose
    apart: Tensor  #: how far apart the poses are, in torso lengths


class MatchRules:
    """Who may be matched with whom, asked for block by block.

    Args:
        labels: (N, H, W) ids 0-9.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.
        persons: who it is, N of them; nobody is matched with themselves.
        same_pose: joints closer than this on average, in torso lengths, are nearly the same pose, which is left out.
    """

    def __init__(self, labels: Tensor, poses: Tensor, persons: Sequence[str], same_pose: float = SAME_POSE) -> None:
        self.pose, self.there = normalize_poses(poses)
        self.person = torch.from_numpy(np.unique(np.asarray(persons), return_inverse=True)[1])
        self.same_pose = same_pose
        self._labels, self._poses = labels, poses

    @cached_property
    def clothes(self) -> Clothes:
        """What each map shows of the clothes."""
        return measure_clothes(self._labels, self._poses)

    def block(self, rows: slice, names: Sequence[str]) -> PermittedMatches:
        """Other people in other poses. Raises `InputError` with the name, of ``names``, of a row that has none."""
        there, pose = self.there, self.pose
        common_joints = (there[rows] @ there.T).clamp_min(1)
        squares = (pose[rows].square() * there[rows]) @ there.T + there[rows] @ pose.square().T
        apart = ((squares - 2 * pose[rows] @ pose.T).clamp_min(0) / common_joints * 2).sqrt()
        allowed = (self.person[rows, None] != self.person[None]) & (apart >= self.same_pose)
        alone = (~allowed.any(1)).nonzero()
        if len(alone):
            name = names[rows.start + int(alone[0])]
            raise InputError(f"{name}: the data set shows nobody else in another pose; add photos of more people")
        return PermittedMatches(allowed, apart)

    def same_clothes(self, rows: slice, allowed: Tensor, tolerance: float, least: int) -> Tensor:
        """``allowed`` (rows, N) without those whose maps show other clothes, or do not show what the row's does.

        Sleeves and hems may differ by ``tolerance``, or by as much more as it takes to leave ``least`` of them.
        """
        misfit = self.clothes.misfit(rows).masked_fill_(~allowed, torch.inf)
        enough = misfit.kthvalue(min(least, misfit.shape[1]), 1, keepdim=True).values
        return allowed & (misfit <= enough.clamp_min(tolerance))


def normalize_poses(poses: Tensor) -> tuple[Tensor, Tensor]:
    """Joints about the middle of the hips in torso lengths (N, 36), and which are known (N, 36)."""
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0)
    hips = (joints[:, Joint.R_HIP] + joints[:, Joint.L_HIP])[:, None] / 2
    scaled = (joints - hips) / torso_lengths(poses)[:, None, None].clamp_min(1e-6)
    mask = there[..., None].expand_as(scaled)
    return torch.where(mask, scaled, 0).flatten(1), mask.flatten(1).float()
