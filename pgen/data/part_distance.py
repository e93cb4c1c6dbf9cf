"""The distance between two parsing maps that pseudo labels are chosen by (SPT, section 3.1), for many pairs.

d(S, S*) = Σ_j ‖ B_j(p*) ⊗ S* − f_j(B_j(p_s) ⊗ S) ‖² over the ten parts: B_j the part's mask, f_j the affine that
carries the part from the source's pose p_s to the pose p* of S*. Maps are one-hot, and f_j takes the nearest pixel, so
that a map stays a map: a pixel costs 0 where the labels agree, 2 where they differ, and 1 where only one side shows the
part.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.batched import part_affines, part_masks
from pgen.body.parts import PART_COUNT

#: Pairs whose transforms are fitted together, and samples (pairs × pixels) looked up together; both bound the memory.
_PAIRS = 8192
_SAMPLES = 1 << 18

_LABEL_BITS = 4
_LABEL = (1 << _LABEL_BITS) - 1


class PartDistances:
    """Distances between maps of one data set.

    Args:
        labels: (N, H, W) ids 0-9, any integer type.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.

    Holds two bytes a pixel.
    """

    def __init__(self, labels: Tensor, poses: Tensor) -> None:
        count, self.height, self.width = labels.shape
        self.poses = poses
        # A pixel's label + 1 in the low bits, above it one bit for each part that it belongs to; a rim of zeros.
        self.codes = torch.zeros(count, self.height + 2, self.width + 2, dtype=torch.int16)
        # The box that holds each part: left, top, right, bottom, the last pixels included.
        self.boxes = torch.zeros(count, PART_COUNT, 4)
        bits = (1 << torch.arange(_LABEL_BITS, _LABEL_BITS + PART_COUNT, dtype=torch.int16))[:, None, None]
        for rows in torch.arange(count).split(64):
            masks = part_masks(poses[rows], (self.height, self.width))
            own = (labels[rows].to(torch.int16) + 1) | (masks * bits).sum(1, dtype=torch.int16)
            self.codes[rows, 1:-1, 1:-1] = own
            self.boxes[rows] = _boxes(masks)

    def __call__(self, sources: Tensor, targets: Tensor, stride: int = 1) -> Tensor:
        """d from the maps ``sources`` to the maps ``targets``, both long (M,): float32 (M,).

        With a ``stride`` only every so many-th row and column of the target's frame is looked at, an estimate.
        """
        result = torch.empty(len(sources))
        order = targets.argsort(stable=True)  # pairs of one target share its pixels
        for pairs in order.split(_PAIRS):
            affines = part_affines(self.poses[sources[pairs]], self.poses[targets[pairs]])
            windows = self._windows(affines, sources[pairs], targets[pairs])
            found, sizes = targets[pairs].unique_consecutive(return_counts=True)
            at = 0
            for target, size in zip(found.tolist(), sizes.tolist(), strict=True):
                group = slice(at, at + size)
                at += size
                result[pairs[group]] = self._of_target(
                    target, sources[pairs[group]], affines[group], windows[group], stride
                )
        return result

    def _windows(self, affines: Tensor, sources: Tensor, targets: Tensor) -> Tensor:
        """Boxes (M, 10, 4) in the target's frame that hold each part of the target and the source's, carried there."""
        left, top, right, bottom = self.boxes[sources].unbind(-1)
        # A pixel is taken where the place that it comes from is nearest to one of the part's: half a pixel around.
        left, top, right, bottom = left - 0.51, top - 0.51, right + 0.51, bottom + 0.51
        corners = torch.stack(
            [torch.stack([x, y], -1) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))], 2
        )
        a, b, c, d = affines[..., 0, 0], affines[..., 0, 1], affines[..., 1, 0], affines[..., 1, 1]
        inverse = torch.stack([d, -b, -c, a], -1).unflatten(-1, (2, 2)) / (a * d - b * c)[..., None, None]
        carried = (corners - affines[..., None, :, 2]) @ inverse.mT
        own = self.boxes[targets]
        there = (right - left > 1)[..., None]  # an empty box is 0 to −1
        low = torch.where(there, carried.amin(2).floor(), torch.inf)
        high = torch.where(there, carried.amax(2).ceil(), -torch.inf)
        low = torch.minimum(low, own[..., :2]).clamp_min(0)
        last = torch.tensor([self.width - 1.0, self.height - 1.0])
        high = torch.minimum(torch.maximum(high, own[..., 2:]), last)
        return torch.cat([low, high], -1)

    def _of_target(self, target: int, sources: Tensor, affines: Tensor, windows: Tensor, stride: int) -> Tensor:
        low, high = windows[..., :2].amin(0), windows[..., 2:].amax(0)
        spots, keys, part_bits, shown = self._pixels(target, torch.cat([low, high], 1).long().tolist(), stride)
        # Rows: the affine of each part; the columns of ``spots`` pick one. Half a pixel rounds, one is the rim.
        shifted = affines + torch.tensor([[0.0, 0.0, 1.5]])
        result = torch.empty(len(sources))
        chunk = max(1, _SAMPLES // max(1, spots.shape[1]))
        frame = (self.height + 2) * (self.width + 2)
        for pairs in torch.arange(len(sources)).split(chunk):
            x = (shifted[pairs, :, 0].flatten(1) @ spots).clamp_(0.5, self.width + 1.5).floor_()
            y = (shifted[pairs, :, 1].flatten(1) @ spots).clamp_(0.5, self.height + 1.5).floor_()
            at = y.mul_(self.width + 2).add_(x).to(torch.int64).add_(sources[pairs, None] * frame)
            codes = self.codes.flatten().index_select(0, at.flatten()).view(at.shape)
            both = (codes & (part_bits | _LABEL)) == keys
            carried = (codes & part_bits) != 0
            result[pairs] = shown + (carried.sum(1) - 2 * both.sum(1)).float()
        return result * stride**2

    def _pixels(self, target: int, windows: list[list[int]], stride: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """All pixels of the target that count, for each part those in its window.

        Returns:
            (30, P): (x, y, 1) of pixel p in the rows of its part, zeros in the others;
            (P,) the code that agrees with the target there, or one that nothing has where the part is not;
            (P,) the bit of the part; and in how many pixels the target shows its part.
        """
        codes = self.codes[target, 1:-1, 1:-1]
        first = stride // 2
        pieces = []
        for part, (left, top, right, bottom) in enumerate(windows):
            left, top = left + (first - left) % stride, top + (first - top) % stride
            if left <= right and top <= bottom:
                pieces.append((part, left, top, codes[top : bottom + 1 : stride, left : right + 1 : stride]))
        total = sum(piece.numel() for *_, piece in pieces)
        spots = torch.zeros(3 * PART_COUNT, total)
        own = torch.empty(total, dtype=torch.int16)
        part_bits = torch.empty(total, dtype=torch.int16)
        at = 0
        for part, left, top, piece in pieces:
            rows, columns = piece.shape
            here = slice(at, at + piece.numel())
            at += piece.numel()
            grid = spots[3 * part : 3 * part + 3, here].view(3, rows, columns)
            grid[0] = torch.arange(left, left + stride * columns, stride)
            grid[1] = torch.arange(top, top + stride * rows, stride)[:, None]
            grid[2] = 1
            own[here] = piece.flatten()
            part_bits[here] = 1 << (_LABEL_BITS + part)
        there = (own & part_bits) != 0
        keys = torch.where(there, own & (part_bits | _LABEL), -1)
        return spots, keys, part_bits, int(there.sum())


def _boxes(masks: Tensor) -> Tensor:
    """Boxes (B, 10, 4) around masks (B, 10, H, W): left, top, right, bottom, the last pixels; 0, 0, −1, −1 if empty."""

    def ends(there: Tensor) -> tuple[Tensor, Tensor]:
        length = there.shape[-1]
        there = there.to(torch.uint8)
        first, last = there.argmax(-1), length - 1 - there.flip(-1).argmax(-1)
        some = there.amax(-1) > 0
        return torch.where(some, first, 0), torch.where(some, last, -1)

    left, right = ends(masks.any(2))
    top, bottom = ends(masks.any(3))
    return torch.stack([left, top, right, bottom], -1).float()
