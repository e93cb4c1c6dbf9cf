"""Where in the photo every pixel of a result comes from, at little cost: between few points, where that is smooth."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import Label
from pgen.inference.rendering.bones import Body, find_hanging_sources, find_sources

#: Places are computed at every so many pixels, and in between them only where they are off by more than so many pixels
#: of the photo, or jump.
_STRIDE, _OFF = 4, 0.35


class Grid:
    """Pixels of the result in a box of it: ``points`` (N, 2) of (x, y), in rows."""

    def __init__(self, box: tuple[slice, slice]) -> None:
        self.box = box
        self.shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
        self.points = self.make_points(1).reshape(-1, 2)

    def as_map(self, values: Tensor) -> Tensor:
        return values.reshape(*self.shape, *values.shape[1:])

    def make_points(self, stride: int) -> Tensor:
        """Every so many of the pixels (h, w, 2), with as many beyond the box as it takes to have all others between."""
        rows, columns = (
            torch.arange(-(-(side.stop - side.start - 1) // stride) + 1) * stride + side.start for side in self.box
        )
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack([x, y], -1).float()


class Places:
    """`find_sources` and `find_hanging_sources` for pixels of ``grid``, given by their numbers in it."""

    def __init__(self, body: Body, grid: Grid) -> None:
        self._body, self.grid = body, grid
        self._nodes = grid.make_points(_STRIDE)
        self._enlarged: dict[Label | None, tuple[Tensor, Tensor]] = {}

    def find(self, labels: Tensor) -> Tensor:
        """Where in the source (N, 2) all pixels come from, which have ``labels`` (N,); NaN where no part carries it."""
        found = torch.full_like(self.grid.points, torch.nan)
        for label in labels.bincount().nonzero()[:, 0].tolist():
            if label != Label.BACKGROUND:
                at = (labels == label).nonzero()[:, 0]
                found[at] = self.find_at(Label(label), at)
        return found

    def find_at(self, label: Label, at: Tensor) -> Tensor:
        """The same (K, 2) for the pixels ``at`` (K,), which all have ``label``."""
        return self._interpolate(label, at, lambda points: find_sources(self._body, points, _fill_like(points, label)))

    def find_hanging_at(self, at: Tensor) -> Tensor:
        """The same of a garment over trunk and both legs."""
        return self._interpolate(None, at, lambda points: find_hanging_sources(self._body, points))

    def _interpolate(self, key: Label | None, at: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        if key not in self._enlarged:
            nodes = compute(self._nodes.reshape(-1, 2)).reshape(self._nodes.shape)
            self._enlarged[key] = _enlarge(nodes, self.grid.shape)
        places, is_rough = self._enlarged[key]
        found = places[at]
        again = is_rough[at].nonzero()[:, 0]
        if len(again):
            found[again] = compute(self.grid.points[at[again]])
        return found


def _enlarge(nodes: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Places (N, 2) between ``nodes`` (h, w, 2), and at which (N,) of them that is not good enough."""
    height, width = ((side - 1) * _STRIDE + 1 for side in nodes.shape[:2])
    planes = nodes.permute(2, 0, 1)[None]
    between = F.interpolate(planes, size=(height, width), mode="bilinear", align_corners=True)[0]
    # NaN is all of it or nothing. What a straight line misses at a bend is at most a quarter of a second difference.
    off = torch.zeros(nodes.shape[:2])
    for axis in (0, 1):
        if nodes.shape[axis] > 2:
            second = nodes.diff(dim=axis).diff(dim=axis).abs().amax(2) / 4
            inner = (slice(1, -1), slice(None)) if axis == 0 else (slice(None), slice(1, -1))
            off[inner] = torch.maximum(off[inner], second.nan_to_num(0))
    is_rough = F.max_pool2d((off > _OFF).float()[None, None], 3, 1, 1)
    rough = F.interpolate(is_rough, size=(height, width), mode="nearest")[0, 0] > 0
    rows, columns = shape
    return between[:, :rows, :columns].permute(1, 2, 0).reshape(-1, 2), rough[:rows, :columns].reshape(-1)


def _fill_like(points: Tensor, label: Label) -> Tensor:
    return torch.full((len(points),), int(label))


def look_up(labels: Tensor, places: Tensor) -> Tensor:
    """The label (N,) that ``labels`` (H, W) has at ``places`` (N, 2) of (x, y); background outside and for NaN."""
    height, width = labels.shape
    x, y = (places.nan_to_num(-9).round().long()).unbind(1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = labels[y.clamp(0, height - 1), x.clamp(0, width - 1)]
    return torch.where(inside, found, torch.zeros_like(found))


def find_within(labels: Tensor, places: Tensor) -> Tensor:
    """Which of ``places`` (N, 2) lie in the photo of ``labels`` (H, W); beyond it nothing is known."""
    sides = torch.tensor([labels.shape[1], labels.shape[0]])
    return ((places > -0.5) & (places < sides - 0.5)).all(1)
