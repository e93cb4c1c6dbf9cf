"""A face that is turned away, of a photo that shows it from the front: its columns, farther apart or closer together.

In profile, one half of it is drawn out from nose to ear.
"""

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
_CHIN, _OVER = 1.9, 0.6

_SHOULDERS = [Joint.R_SHOULDER, Joint.L_SHOULDER]
_SIDES = ((Joint.R_EYE, Joint.R_EAR), (Joint.L_EYE, Joint.L_EAR))


@dataclass(frozen=True)
class TurnedFace:
    """Where in the photo the pixels of a turned face come from."""

    here: (
        Tensor  #: (3,) or (4,), x of ear, eye, nose and, if it is seen, the other eye in the result, from left to right
    )
    there: Tensor  #: x of them in the photo
    height: tuple[float, float]  #: y of the middle between nose and eye, in the result and in the photo
    scale: float  #: pixels of the photo a pixel of the result, from top to bottom
    neck: tuple[float, float]  #: x of the neck, which is as wide from all sides, in the result and in the photo
    ends: tuple[float, float]  #: y in the photo where the face begins to become the neck, and where it is the neck

    def carry(self, points: Tensor) -> Tensor:
        """(x, y) in the result, (..., 2) → in the photo."""
        x, y = points.unbind(-1)
        part = torch.bucketize(x.contiguous(), self.here[1:-1])  # beyond the ends it goes on as before them
        share = (x - self.here[part]) / (self.here[part + 1] - self.here[part])
        x_there = torch.lerp(self.there[part], self.there[part + 1], share)
        y_there = self.height[1] + (y - self.height[0]) * self.scale
        below = ((y_there - self.ends[0]) / (self.ends[1] - self.ends[0])).clamp(0, 1)
        return torch.stack([torch.lerp(x_there, self.neck[1] + (x - self.neck[0]) * self.scale, below), y_there], -1)


def find_turned_face(source: NDArray[np.floating], target: NDArray[np.floating]) -> TurnedFace | None:
    """How the face of ``source`` becomes that of ``target``, poses (18, 2) in pixels, which is turned farther.

    None if one of them does not show what that takes.
    """
    here = [face for face in (_find_columns(target, side) for side in (0, 1)) if face is not None]
    there = [face for face in (_find_columns(source, side, guess_ear=True) for side in (0, 1)) if face is not None]
    if not here or not there:
        return None
    # The wider half of either: faces are alike on both sides.
    mine, theirs = (max(faces, key=lambda face: abs(face[2, 0] - face[0, 0])) for faces in (here, there))
    unit = torso_length(source)
    # Of a head that is turned far, the nose hides where the other eye is.
    is_far = len(mine) < 4 or len(theirs) < 4 or (mine[3, 0] - mine[2, 0]) * (mine[2, 0] - mine[0, 0]) <= 0
    if is_far:
        mine, theirs = mine[:3], theirs[:3]
    own = max(torso_length(target), 1e-6)
    for face, length in ((mine, own), (theirs, unit)):
        steps = np.diff(face[:, 0])
        if not ((steps > 0).all() or (steps < 0).all()) or abs(face[2, 0] - face[0, 0]) < _LEAST * length:
            return None
    heights = float(mine[1:3, 1].mean()), float(theirs[1:3, 1].mean())
    order = np.argsort(mine[:, 0])
    columns, places = (torch.from_numpy(face[order, 0]).float() for face in (mine, theirs))
    necks = float(target[_SHOULDERS, 0].mean()), float(source[_SHOULDERS, 0].mean())
    way = max(float(theirs[2, 1] - theirs[1, 1]), _LEAST * unit)
    chin = float(theirs[2, 1]) + _CHIN * way
    return TurnedFace(columns, places, heights, unit / own, necks, (chin, chin + _OVER * way))


def _find_columns(pose: NDArray[np.floating], side: int, guess_ear: bool = False) -> NDArray[np.float64] | None:
    """Ear, eye and nose on one side of a face, and the other eye if it is known, (3 or 4, 2); None if one is not."""
    (eye, ear), (other_eye, _) = _SIDES[side], _SIDES[1 - side]
    known = known_joints(pose)
    if not known[[Joint.NOSE, eye]].all() or not (known[ear] or guess_ear):
        return None
    face = np.asarray(pose, np.float64)[[ear, eye, Joint.NOSE, *([other_eye] if known[other_eye] else [])]]
    if not known[ear]:
        face[0] = face[2] + _EAR * (face[1] - face[2])
    return face
