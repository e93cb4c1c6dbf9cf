"""Which maps may be pseudo labels of which: other people's, in other poses, in the same kind of clothes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pgen.body.joints import Joint, known_joints
from pgen.body.parts import torso_lengths
from pgen.errors import InputError
from pgen.pseudo_labels.clothes import measure_clothes

#: Joints on average within so many torso lengths: nearly the same pose.
SAME_POSE = 0.2
#: Sleeves and hems may end so far apart, in upper arms and thighs.
SAME_CLOTHES = 0.08


class MatchRules:
    """Who may be matched with whom, asked for block by block.

    Args:
        labels: (N, H, W) ids 0-9.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.
        persons: who it is, N of them; nobody is matched with themselves.
        names: of the maps, for messages.
        same_clothes: by how much sleeves and hems may differ, or by as much more as it takes to leave ``least_alike``
            maps; None allows any clothes.
    """

    def __init__(
        self,
        labels: Tensor,
        poses: Tensor,
        persons: Sequence[str],
        names: Sequence[str],
        same_clothes: float | None,
        least_alike: int,
    ) -> None:
        there = known_joints(poses)[..., None].expand_as(poses)
        joints = torch.where(there, poses, 0)
        hips = (joints[:, Joint.R_HIP] + joints[:, Joint.L_HIP])[:, None] / 2
        scaled = (joints - hips) / torso_lengths(poses)[:, None, None].clamp_min(1e-6)
        # Joints about the middle of the hips in torso lengths, and which are known: (N, 36) both.
        self.pose, self.there = torch.where(there, scaled, 0).flatten(1), there.flatten(1).float()
        self.person = torch.from_numpy(np.unique(np.asarray(persons), return_inverse=True)[1])
        self.names, self.same_clothes, self.least_alike = names, same_clothes, least_alike
        self.clothes = None if same_clothes is None else measure_clothes(labels, poses)

    def permit(self, rows: slice) -> tuple[Tensor, Tensor]:
        """Which maps may be matched with ``rows``, bool (rows, N), and how far apart the poses are, in torso lengths.

        Raises:
            InputError: a map has nobody else in another pose.
        """
        there, pose = self.there, self.pose
        common_joints = (there[rows] @ there.T).clamp_min(1)
        squares = (pose[rows].square() * there[rows]) @ there.T + there[rows] @ pose.square().T
        apart = ((squares - 2 * pose[rows] @ pose.T).clamp_min(0) / common_joints * 2).sqrt()
        allowed = (self.person[rows, None] != self.person[None]) & (apart >= SAME_POSE)
        alone = (~allowed.any(1)).nonzero()
        if len(alone):
            name = self.names[rows.start + int(alone[0])]
            raise InputError(f"{name}: the data set shows nobody else in another pose; add photos of more people")
        if self.clothes is not None and self.same_clothes is not None:
            misfit = self.clothes.misfit(rows).masked_fill_(~allowed, torch.inf)
            enough = misfit.kthvalue(min(self.least_alike, misfit.shape[1]), 1, keepdim=True).values
            allowed &= misfit <= enough.clamp_min(self.same_clothes)
        return allowed, apart
