"""Filling shapes on the pixel grid, by one span of columns in each row.

Pixel centers are at integer coordinates; a pixel is inside by the even–odd rule, or if its center is on an edge.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Added to a radius, so that pixels exactly on the rim are inside whatever way the rounding goes.
RIM = 1e-6

# Closer to a corner than this is on it.
_TOUCH = 1e-12


def row_crossings(start: Tensor, end: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """Where segments cross each row: x (..., height) in float64, and bool whether they do, ends included.

    ``start`` and ``end`` are (..., 2) in (x, y), finite.
    """
    rows = torch.arange(height, device=start.device, dtype=start.dtype)
    y0, y1 = start[..., 1:], end[..., 1:]
    share = ((rows - y0) / torch.where(y0 == y1, 1.0, y1 - y0)).clamp(0, 1)
    crosses = (rows >= torch.minimum(y0, y1) - _TOUCH) & (rows <= torch.maximum(y0, y1) + _TOUCH)
    return start[..., :1] + share * (end[..., :1] - start[..., :1]), crosses


def convex_spans(corners: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """The pixels of convex polygons (..., N, 2), as scikit-image's ``grid_points_in_poly`` has them, a span a row.

    Polygons must have some area or be a single point.

    Returns:
        int64 first and stop (..., height), stop excluded, clipped to no width; stop <= first if none.
    """
    x, crosses = row_crossings(corners.roll(1, dims=-2), corners, height)
    first, last = torch.where(crosses, x, torch.inf), torch.where(crosses, x, -torch.inf)
    outermost = torch.stack([first.amin(dim=-2), last.amax(dim=-2)], dim=-1)
    touched = crosses.any(dim=-2)
    # Away from rounding, the pixel next to a crossing shows on which side of it the span begins.
    nearest = torch.where(touched[..., None], outermost, 0.0).round()
    inside = _is_inside(corners, nearest) & touched[..., None]
    columns = nearest.to(torch.int64)
    return columns[..., 0] + ~inside[..., 0], columns[..., 1] + inside[..., 1]


def capsule_spans(start: Tensor, end: Tensor, radius: Tensor | float, height: int) -> tuple[Tensor, Tensor]:
    """Leftmost and rightmost x within ``radius`` of segments (..., 2) in each row: (..., height).

    +inf and −inf if there is none. ``radius`` is one for all, or (...). A segment without length is a disc. A capsule
    is convex, so a row's span reaches from the leftmost to the rightmost of its two discs and its two sides.
    """
    rows = torch.arange(height, device=start.device, dtype=start.dtype)
    reach = torch.as_tensor(radius, dtype=start.dtype, device=start.device)[..., None]
    along = end - start
    normal = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    # Written out: norm() rounds unlike numpy's.
    length = along.square().sum(dim=-1, keepdim=True).sqrt().clamp(min=1e-12)
    half = (reach * normal / length)[..., None, :] * torch.tensor([[1.0], [-1.0]]).to(start)
    sides, crosses = row_crossings(start[..., None, :] + half, end[..., None, :] + half, height)

    centers = torch.stack([start, end], dim=-2)
    squares = reach[..., None].square() - (rows - centers[..., 1:]).square()
    beside = torch.where(squares >= 0, squares.clamp(min=0).sqrt(), -torch.inf)
    left = torch.cat([centers[..., :1] - beside, torch.where(crosses, sides, torch.inf)], dim=-2)
    right = torch.cat([centers[..., :1] + beside, torch.where(crosses, sides, -torch.inf)], dim=-2)
    return left.amin(dim=-2), right.amax(dim=-2)


def hull_spans(corners: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """Leftmost and rightmost x in each row (..., height) of the convex hulls of points (..., N, 2)."""
    pairs = torch.combinations(torch.arange(corners.shape[-2])).to(corners.device)
    x, crosses = row_crossings(corners[..., pairs[:, 0], :], corners[..., pairs[:, 1], :], height)
    left, right = torch.where(crosses, x, torch.inf), torch.where(crosses, x, -torch.inf)
    return left.amin(dim=-2) - RIM, right.amax(dim=-2) + RIM


def fill_spans(left: Tensor, right: Tensor, there: Tensor, width: int) -> Tensor:
    """Pixels (B, height, width), bool, in any of the N shapes with spans from ``left`` to ``right`` (B, N, height).

    Those that are not ``there``, bool (B, N), cover nothing.
    """
    first = left.clamp(-1, width + 1).ceil().clamp(0, width).to(torch.int64)
    stop = (right.clamp(-1, width + 1).floor() + 1).clamp(0, width).to(torch.int64)
    stop = torch.maximum(stop, first)
    # Each span opens with +1 and closes with −1: a pixel is covered where the running sum is positive.
    changes = torch.zeros((len(left), left.shape[2], width + 1), device=left.device)
    one = there[..., None].to(changes.dtype).expand(first.shape).mT
    changes = changes.scatter_add(2, first.mT, one).scatter_add(2, stop.mT, -one)
    return changes.cumsum(dim=2)[..., :width] > 0.5


def _is_inside(corners: Tensor, columns: Tensor) -> Tensor:
    """Whether polygons (..., N, 2) surround or touch the pixels in ``columns`` (..., height, K) of each row."""
    # Inside, the edges that cross the pixel's row to its right are odd in number, and so are those to its left; on an
    # edge, only one of the two. Operations are in scikit-image's order: rounding decides alike.
    rows = torch.arange(columns.shape[-2], device=columns.device, dtype=corners.dtype)[:, None, None]
    x = corners[..., None, None, :, 0] - columns[..., None]
    y = corners[..., None, None, :, 1] - rows
    x1, y1 = x.roll(1, dims=-1), y.roll(1, dims=-1)
    crossing = (x * y1 - x1 * y) / torch.where(y == y1, 1.0, y1 - y)
    to_right = (((y > 0) != (y1 > 0)) & (crossing > 0)).sum(dim=-1) % 2 == 1
    to_left = (((y < 0) != (y1 < 0)) & (crossing < 0)).sum(dim=-1) % 2 == 1
    return to_right | to_left | ((x.abs() < _TOUCH) & (y.abs() < _TOUCH)).any(dim=-1)
