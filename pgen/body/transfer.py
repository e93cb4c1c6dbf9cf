"""The geometry of a transfer from one pose to another: part affines, masks, warps and the label-aware paste.

Everything that is cheap to compute and dear to load is computed here, on the device, from keypoints.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.joints import Joint, known_joints
from pgen.body.labels import Label
from pgen.body.parts import part_affines, part_masks
from pgen.body.paste import Paste, paste_by_label, plan_paste
from pgen.body.warp import Size, Warp, plan_warp

#: Faces whose turns differ by more (from −1 to 1) do not show the same.
_SAME_FACE = 0.6
#: Turns of heads with one ear in sight and both eyes, or one: three quarters, and from the side.
_THREE_QUARTERS, _PROFILE = 0.75, 1.0


class Transfer:
    """The geometry that carries a batch of source poses to target poses in one frame; what costs is kept."""

    def __init__(self, source: Tensor, target: Tensor, size: Size, affines: Tensor | None = None) -> None:
        """Poses (B, 18, 2) in a frame of ``size``; ``affines`` are their `part_affines`, where they are known."""
        self.source, self.target, self.size = source, target, size
        self.affines = part_affines(source, target) if affines is None else affines.to(source)
        self.masks = part_masks(target, size)
        self._plain: dict[int, Warp] = {}

    def warps(self, levels: int, first: int = 0) -> list[Warp]:
        """Warps of ``levels`` levels, finest first; level k is the frame divided by 2^k."""
        return [self._level(first + k) for k in range(levels)]

    def label_warps(self, levels: int, aware: int, source: Tensor, target: Tensor) -> list[Warp]:
        """The same, where the ``aware`` finest carry only values whose labels agree; maps are long (B, H, W)."""
        return [
            plan_warp(self.affines, self.masks, self._size(k), (source, target)) if k < aware else self._level(k)
            for k in range(levels)
        ]

    def paste(self, image: Tensor, source: Tensor, target: Tensor) -> Paste:
        """The label-aware paste of ``image`` (B, 3, H, W), or one for all, into the map ``target`` (long, B, H, W).

        A face is left out where the head is turned too far between the poses: an affine would carry it to where it
        cannot be, an eye to the cheek.
        """
        turned = (measure_head_turns(self.source) - measure_head_turns(self.target)).abs() > _SAME_FACE
        carried = source.masked_fill(turned[:, None, None] & (source == Label.FACE), -1)
        return paste_by_label(image, source, target, plan_paste(self.affines, self.masks, carried, target))

    def _size(self, level: int) -> Size:
        return (self.size[0] >> level, self.size[1] >> level)

    def _level(self, level: int) -> Warp:
        if level not in self._plain:
            self._plain[level] = plan_warp(self.affines, self.masks, self._size(level))
        return self._plain[level]


def measure_head_turns(poses: Tensor) -> Tensor:
    """How far the heads of ``poses`` (B, 18, 2) are turned: (B,), −1 to 1, NaN where the joints do not show it.

    0 from the front, 1 where the person's right ear is in the middle and −1 where the left one is. With both ears in
    sight, it is where between them the nose is.
    """
    known = known_joints(poses)
    nose, right, left = (poses[:, joint] for joint in (Joint.NOSE, Joint.R_EAR, Joint.L_EAR))
    across = left - right
    between = ((nose - right) * across).sum(1) / across.square().sum(1).clamp_min(1e-6)
    both_ears = known[:, Joint.R_EAR] & known[:, Joint.L_EAR]
    both_eyes = known[:, Joint.R_EYE] & known[:, Joint.L_EYE]
    side = known[:, Joint.R_EAR].to(poses.dtype) - known[:, Joint.L_EAR].to(poses.dtype)
    aside = side * torch.where(both_eyes, _THREE_QUARTERS, _PROFILE).to(poses.dtype)
    turns = torch.where(both_ears, (2 * between - 1).clamp(-1, 1), aside)
    is_known = known[:, Joint.NOSE] & (known[:, Joint.R_EAR] | known[:, Joint.L_EAR])
    return turns.masked_fill(~is_known, torch.nan)
