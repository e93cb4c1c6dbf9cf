"""The geometry of a transfer from one pose to another: part affines, masks, warps and the label-aware paste.

Everything that is cheap to compute and dear to load is computed here, on the device, from keypoints.
"""

from __future__ import annotations

from torch import Tensor

from pgen.body.head_turn import measure_head_turns
from pgen.body.labels import Label
from pgen.body.parts import part_affines, part_masks
from pgen.body.paste import Paste, paste_by_label, plan_paste
from pgen.body.warp import Size, Warp, plan_warp

#: Faces whose turns differ by more (from −1 to 1) do not show the same.
_SAME_FACE = 0.6


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
            plan_warp(self.affines, self.masks, self._size(k), source, target) if k < aware else self._level(k)
            for k in range(levels)
        ]

    def paste(self, image: Tensor, source: Tensor, target: Tensor) -> Paste:
        """The label-aware paste of ``image`` (B, 3, H, W) into the map ``target`` (long, B, H, W).

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
