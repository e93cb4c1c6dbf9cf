"""A face in profile, of a photo that shows it from the front: one half of it, drawn out from nose to ear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.joints import Joint, known_joints
from pgen.body.limb_fields import torso_length

#: How far from the nose an ear that hair hides is, as a multiple of the eye's distance; and how far one that is seen
#: is at least, in torso lengths: with less the photo shows no half of a face.
_EAR, _LEAST = 2.2, 0.05
#: How far below the nose a chin is, and over which way below it a face becomes a neck, as multiples of the way from the
#: eyes down to the nose.
_CHIN, _OVER = 1.5, 0.8

_SHOULDERS = [Joint.R_SHOULDER, Joint.L_SHOULDER]
_SIDES = ((Joint.R_EYE, Joint.R_EAR), (Joint.L_EYE, Joint.L_EAR))


@dataclass(frozen=True)
class Profile:
    """Where in the photo the pixels of a face in profile come from."""

    here: Tensor  #: (3,), x of nose, eye and ear in the result
    there: Tensor  #: (3,), x of them in the photo
    height: tuple[float, float]  #: y of the middle between nose and eye, in the result and in the photo
    scale: float  #: pixels of the photo a pixel of the result, from top to bottom
    neck: tuple[float, float]  #: x of the neck, which is as wide from all sides, in the result and in the photo
    ends: tuple[float, float]  #: y in the photo where the face begins to become the neck, and where it is the neck

    def carry(self, points: Tensor) -> Tensor:
        """(x, y) in the result, (..., 2) → in the photo."""
        nose, eye, ear = self.here
        front, behind = ((points[..., 0] - eye) / (end - eye) for end in (nose, ear))
        to_nose, to_ear = self.there[0] - self.there[1], self.there[2] - self.there[1]
        x = self.there[1] + torch.where(front > 0, front * to_nose, behind * to_ear)
        y = self.height[1] + (points[..., 1] - self.height[0]) * self.scale
        share = ((y - self.ends[0]) / (self.ends[1] - self.ends[0])).clamp(0, 1)
        return torch.stack([torch.lerp(x, self.neck[1] + (points[..., 0] - self.neck[0]) * self.scale, share), y], -1)


def find_profile(source: NDArray[np.floating], target: NDArray[np.floating]) -> Profile | None:
    """How the face of ``source`` becomes that of ``target``, poses (18, 2) in pixels, which is in profile.

    None if one of them does not show what that takes.
    """
    shown = [side for side in _SIDES if known_joints(target)[list(side)].all()]
    halves = [half for half in (_find_half(source, *side) for side in _SIDES) if half is not None]
    if len(shown) != 1 or not halves or not known_joints(target)[Joint.NOSE]:
        return None
    unit = torso_length(source)
    half = max(halves, key=lambda half: abs(half[2, 0] - half[0, 0]))
    profile = np.asarray(target, np.float64)[[Joint.NOSE, *shown[0]]]
    for ends in (half, profile):
        steps = np.diff(ends[:, 0])
        if steps[0] * steps[1] <= 0 or abs(steps.sum()) < _LEAST * unit:
            return None
    heights = float(profile[:2, 1].mean()), float(half[:2, 1].mean())
    here, there = (torch.from_numpy(ends[:, 0]).float() for ends in (profile, half))
    necks = float(target[_SHOULDERS, 0].mean()), float(source[_SHOULDERS, 0].mean())
    way = max(float(half[0, 1] - half[1, 1]), _LEAST * unit)
    chin = float(half[0, 1]) + _CHIN * way
    return Profile(here, there, heights, unit / max(torso_length(target), 1e-6), necks, (chin, chin + _OVER * way))


def _find_half(pose: NDArray[np.floating], eye: Joint, ear: Joint) -> NDArray[np.float64] | None:
    """Nose, eye and ear (3, 2) on one side of a face; None without nose or eye."""
    known = known_joints(pose)
    if not known[[Joint.NOSE, eye]].all():
        return None
    half = np.asarray(pose, np.float64)[[Joint.NOSE, eye, ear]]
    if not known[ear]:
        half[2] = half[0] + _EAR * (half[1] - half[0])
    return half
