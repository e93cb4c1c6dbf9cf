"""Distances of points from lines and quadrilaterals."""

from __future__ import annotations

import torch
from torch import Tensor


def measure_to_quad(corners: Tensor, points: Tensor) -> Tensor:
    """Distance of ``points`` (N, 2) from a convex quadrilateral (4, 2), 0 within it."""
    inside, sign, nearest = torch.ones(len(points), dtype=torch.bool), 0.0, torch.full((len(points),), torch.inf)
    for start, end in zip(corners, corners.roll(-1, 0), strict=True):
        way, offset = end - start, points - start
        turn = way[0] * offset[:, 1] - way[1] * offset[:, 0]
        if not sign:
            middle = corners.mean(0) - start
            sign = 1.0 if float(way[0] * middle[1] - way[1] * middle[0]) >= 0 else -1.0
        inside &= turn * sign >= 0
        nearest = torch.minimum(nearest, measure_to_line(start, end, points))
    return nearest.masked_fill(inside, 0)


def measure_to_line(start: Tensor, end: Tensor, points: Tensor) -> Tensor:
    """Distance (N,) of ``points`` (N, 2) from the line between two points."""
    way, offset = end - start, points - start
    beyond = offset - (offset @ way / way.square().sum().clamp_min(1e-6)).clamp(0, 1)[:, None] * way
    return torch.hypot(beyond[:, 0], beyond[:, 1])
