"""Learning from one photo alone: H_A paints the source itself into another crop, from less than the source shows.

An addition to the paper. The true picture is known here, so every pixel teaches: parts of the source are hidden, as a
turn would hide them, some faces are covered by hair, as from behind, and the joints are shaken, so that what the warps
carry is off by as much as between two poses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pgen.body.batch import PersonBatch, TensorBatch
from pgen.body.joints import JOINT_COUNT, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.parts import torso_lengths
from pgen.body.paste import clean_background

#: So many discs are hidden at most, with radii from and to these torso lengths.
_HOLES, _RADII = 4, (0.1, 0.45)

#: Standard deviation of the shaking, in torso lengths.
_SHAKE = 0.06

#: Share of the samples whose head is turned away, and the joints that a back of the head does not show.
_TURNED, _OF_FACES = 0.5, (Joint.NOSE, Joint.R_EYE, Joint.L_EYE)


@dataclass(frozen=True)
class Occlusion(TensorBatch):
    """What is hidden and shaken in each of B samples; on the CPU."""

    joints: Tensor  #: long (B, 4), the joints at which discs are hidden
    offsets: Tensor  #: (B, 4, 2), from the joints to the discs' centers, in torso lengths
    radii: Tensor  #: (B, 4), in torso lengths; 0: nothing hidden
    shaking: Tensor  #: (B, 18, 2), of the joints, in torso lengths
    turned: Tensor  #: bool (B,): hair covers the face

    @classmethod
    def draw(cls, batch: int, generator: torch.Generator) -> Occlusion:
        """Up to four discs on each sample, hair over the face of some."""
        low, high = _RADII
        radii = low + (high - low) * torch.rand(batch, _HOLES, generator=generator)
        return cls(
            torch.randint(JOINT_COUNT, (batch, _HOLES), generator=generator),
            0.2 * torch.randn(batch, _HOLES, 2, generator=generator),
            radii * (torch.rand(batch, _HOLES, generator=generator) < 0.6),
            _SHAKE * torch.randn(batch, JOINT_COUNT, 2, generator=generator),
            torch.rand(batch, generator=generator) < _TURNED,
        )


def occlude(persons: PersonBatch, occlusion: Occlusion) -> PersonBatch:
    """``persons`` with hair over some faces, the discs replaced by background, and the joints shaken."""
    device = persons.poses.device
    occlusion = occlusion.apply(lambda tensor: tensor.to(device))
    persons = _cover_faces(persons, occlusion.turned)
    length = torso_lengths(persons.poses)[:, None, None]
    # Discs at missing joints hide nothing.
    joints = torch.where(known_joints(persons.poses)[..., None], persons.poses, -1e6)
    at = occlusion.joints[..., None].expand(-1, -1, 2)
    centers = joints.gather(1, at) + occlusion.offsets * length
    height, width = persons.size
    rows = torch.arange(height, device=device)[:, None]
    columns = torch.arange(width, device=device)
    across, down = centers[..., 0, None, None], centers[..., 1, None, None]
    radii = (occlusion.radii * length[..., 0])[..., None, None]
    hidden = ((columns - across).square() + (rows - down).square() < radii.square()).any(1)
    images = torch.where(hidden[:, None], clean_background(persons.images, persons.labels), persons.images)
    labels = persons.labels.masked_fill(hidden, int(Label.BACKGROUND))
    return PersonBatch(images, labels, persons.poses + occlusion.shaking * length)


def _cover_faces(persons: PersonBatch, turned: Tensor) -> PersonBatch:
    """``persons`` with the faces of those ``turned`` (B,) in the mean color of their hair, and without nose and eyes.

    Who shows no hair stays.
    """
    hair = (persons.labels == Label.HAIR)[:, None]
    count = hair.sum((2, 3), keepdim=True)
    turned = turned & (count[:, 0, 0, 0] > 0)
    color = (persons.images * hair).sum((2, 3), keepdim=True) / count.clamp_min(1)
    covered = (persons.labels == Label.FACE) & turned[:, None, None]
    poses = persons.poses.clone()
    for joint in _OF_FACES:
        poses[turned, joint] = torch.nan
    images = torch.where(covered[:, None], color, persons.images)
    return PersonBatch(images, persons.labels.masked_fill(covered, int(Label.HAIR)), poses)
