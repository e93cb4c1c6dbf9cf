"""Learning from one photo alone: H_A paints the source itself into another crop, from less than the source shows.

An addition to the paper. The true picture is known here, so every pixel teaches: parts of the source are hidden, as a
turn would hide them, and its joints are shaken, so that what the warps carry is off by as much as between two poses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pgen.body.batched import known, torso_lengths
from pgen.body.joints import JOINT_COUNT
from pgen.body.labels import Label
from pgen.models.inputs import Views
from pgen.models.paste import clean_background

#: So many discs are hidden at most, with radii from and to these torso lengths.
_HOLES, _RADII = 4, (0.1, 0.45)

#: Standard deviation of the shaking, in torso lengths.
_SHAKE = 0.06


@dataclass(frozen=True)
class Concealment:
    """What is hidden and shaken in each of B samples; on the CPU."""

    joints: Tensor  #: long (B, 4), the joints at which discs are hidden
    offsets: Tensor  #: (B, 4, 2), from the joints to the discs' centres, in torso lengths
    radii: Tensor  #: (B, 4), in torso lengths; 0: nothing hidden
    shaking: Tensor  #: (B, 18, 2), of the joints, in torso lengths

    @classmethod
    def draw(cls, batch: int, generator: torch.Generator) -> Concealment:
        """Up to four discs on each sample."""
        low, high = _RADII
        radii = low + (high - low) * torch.rand(batch, _HOLES, generator=generator)
        return cls(
            torch.randint(JOINT_COUNT, (batch, _HOLES), generator=generator),
            0.2 * torch.randn(batch, _HOLES, 2, generator=generator),
            radii * (torch.rand(batch, _HOLES, generator=generator) < 0.6),
            _SHAKE * torch.randn(batch, JOINT_COUNT, 2, generator=generator),
        )

    def __getitem__(self, which: slice) -> Concealment:
        return Concealment(self.joints[which], self.offsets[which], self.radii[which], self.shaking[which])


def concealed(views: Views, concealment: Concealment) -> Views:
    """``views`` with the discs replaced by background, and the joints shaken."""
    device = views.poses.device
    length = torso_lengths(views.poses)[:, None, None]
    joints = torch.where(known(views.poses)[..., None], views.poses, -1e6)  # discs at missing joints hide nothing
    at = concealment.joints.to(device)[..., None].expand(-1, -1, 2)
    centres = joints.gather(1, at) + concealment.offsets.to(device) * length
    height, width = views.size
    rows = torch.arange(height, device=device)[:, None]
    columns = torch.arange(width, device=device)
    across, down = centres[..., 0, None, None], centres[..., 1, None, None]
    radii = (concealment.radii.to(device) * length[..., 0])[..., None, None]
    hidden = ((columns - across).square() + (rows - down).square() < radii.square()).any(1)
    images = torch.where(hidden[:, None], clean_background(views.images, views.labels), views.images)
    labels = views.labels.masked_fill(hidden, int(Label.BACKGROUND))
    return Views(images, labels, views.poses + concealment.shaking.to(device) * length)
