"""The distance between two parsing maps that pseudo labels are chosen by (SPT, section 3.1), for many pairs.

d(S, S*) = Σ_j ‖ B_j(p*) ⊗ S* − f_j(B_j(p_s) ⊗ S) ‖² over the ten parts: B_j the part's mask, f_j the affine that
carries the part from the source's pose p_s to the pose p* of S*. Maps are one-hot, and f_j takes the nearest pixel, so
that a map stays a map: a pixel costs 0 where the labels agree, 2 where they differ, and 1 where only one side shows the
part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pgen.body.parts import PART_COUNT, part_affines, part_masks
from pgen.runtime.threads import thread_pool

#: What bounds a thread's memory: pairs whose transforms are fitted, and samples (pairs × pixels) looked up, at a time.
_PAIRS = 4096
_SAMPLES = 1 << 18

_LABEL_BITS = 4
_LABEL = (1 << _LABEL_BITS) - 1
_NO_CODE = 1 << 14


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

        def code(rows: Tensor) -> None:
            masks = part_masks(poses[rows], (self.height, self.width))
            own = (labels[rows].to(torch.int16) + 1) | (masks * bits).sum(1, dtype=torch.int16)
            self.codes[rows, 1:-1, 1:-1] = own
            self.boxes[rows] = _find_boxes(masks)

        with thread_pool() as pool:
            list(pool.map(code, torch.arange(count).split(16)))

    def __call__(
        self, sources: Tensor, targets: Tensor, stride: int = 1, advance: Callable[[int], None] = lambda pairs: None
    ) -> Tensor:
        """d from the maps ``sources`` to the maps ``targets``, both long (M,): float32 (M,).

        With a ``stride`` only every so many-th row and column of the target's frame is looked at, an estimate.
        ``advance`` is called with numbers of pairs as they are done.
        """
        result = torch.empty(len(sources))
        blocks = targets.argsort(stable=True).split(_PAIRS)  # pairs of one target share its pixels
        with thread_pool() as pool:
            of_blocks = pool.map(lambda pairs: self._block(sources[pairs], targets[pairs], stride), blocks)
            for pairs, found in zip(blocks, of_blocks, strict=True):
                result[pairs] = found
                advance(len(pairs))
        return result

    def _block(self, sources: Tensor, targets: Tensor, stride: int) -> Tensor:
        """Distances (M,) of pairs whose targets are in ascending order."""
        affines = part_affines(self.poses[sources], self.poses[targets])
        windows = self._windows(affines, sources, targets)
        found, sizes = targets.unique_consecutive(return_counts=True)
        result, at = torch.empty(len(sources)), 0
        for target, size in zip(found.tolist(), sizes.tolist(), strict=True):
            group = slice(at, at + size)
            at += size
            result[group] = self._of_target(target, sources[group], affines[group], windows[group], stride)
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
        pixels = self._pixels(target, torch.cat([low, high], 1).long().tolist(), stride)
        body, count = pixels.of_frame.shape[1], len(pixels.keys)
        # Rows: the affine of each part; the columns of the pixels pick one. Half a pixel rounds, one is the rim.
        shifted = affines + torch.tensor([[0.0, 0.0, 1.5]])
        result = torch.empty(len(sources))
        frame = (self.height + 2) * (self.width + 2)
        for pairs in torch.arange(len(sources)).split(max(1, _SAMPLES // count)):
            x, y = torch.empty(2, len(pairs), count).unbind(0)
            for axis, carried in enumerate((x, y)):
                rows = shifted[pairs, :, axis].flatten(1)
                torch.mm(rows[:, :3], pixels.of_frame, out=carried[:, :body])
                torch.mm(rows[:, 3:], pixels.of_parts, out=carried[:, body:])
            x.clamp_(0.5, self.width + 1.5).floor_()
            y.clamp_(0.5, self.height + 1.5).floor_()
            at = y.mul_(self.width + 2).add_(x).to(torch.int64).add_(sources[pairs, None] * frame)
            codes = self.codes.flatten().index_select(0, at.flatten()).view(at.shape)
            differ = (codes & (pixels.bits | _LABEL)).bitwise_xor_(pixels.keys).clamp_(max=1)
            carried_there = codes.bitwise_and_(pixels.bits).clamp_(max=1)
            result[pairs] = carried_there.add_(differ, alpha=2).sum(1).float()
        # Where both show the part: 1 + 1 − 2 if they agree.
        return (result + (pixels.shown - 2 * count)) * stride**2

    def _pixels(self, target: int, windows: list[list[int]], stride: int) -> _Pixels:
        """The pixels of the target that count: for the whole body the frame, for each other part its window."""
        codes, first = self.codes[target, 1:-1, 1:-1], stride // 2
        grids, own, bits = [], [], []
        for part, (left, top, right, bottom) in enumerate(windows):
            left, top = left + (first - left) % stride, top + (first - top) % stride
            piece = codes[top : bottom + 1 : stride, left : right + 1 : stride] if right >= left else codes[:0]
            rows, columns = piece.shape
            grid = torch.ones(3, rows, columns)  # (x, y, 1) of every so many-th pixel
            grid[0] = torch.arange(left, left + stride * columns, stride)
            grid[1] = torch.arange(top, top + stride * rows, stride)[:, None]
            grids.append(grid.flatten(1))
            own.append(piece.flatten())
            bits.append(1 << (_LABEL_BITS + part))
        sizes = torch.tensor([len(piece) for piece in own])
        labels, all_bits = torch.cat(own), torch.tensor(bits, dtype=torch.int16).repeat_interleave(sizes)
        there = (labels & all_bits) != 0
        keys = torch.where(there, labels & (all_bits | _LABEL), _NO_CODE)
        return _Pixels(grids[0], torch.block_diag(*grids[1:]), keys, all_bits, int(there.sum()))


@dataclass(frozen=True)
class _Pixels:
    """P pixels of a target, F of them of the whole frame, which come first."""

    of_frame: Tensor  # (3, F): x, y, 1
    of_parts: Tensor  # (27, P − F): x, y, 1 in the rows of the pixel's part, zeros in the others
    keys: Tensor  # (P,) the masked code that agrees with the target, or one that nothing has where the part is not
    bits: Tensor  # (P,) the bit of the pixel's part
    shown: int  # in how many of them the target shows the part


def _find_boxes(masks: Tensor) -> Tensor:
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
