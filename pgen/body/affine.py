"""Affine transforms from corresponding points, by the normalized direct linear transform (DLT).

An affine is a (2, 3) matrix on (x, y, 1). Points are normalized as by Hartley, *In defense of the eight-point
algorithm*, 1997, and the total least squares solution of the DLT equations is taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: The transform of a part that cannot be found: whatever it samples lies outside every frame.
NOWHERE = ((1.0, 0.0, 1000.0), (0.0, 1.0, 1000.0))

#: Points whose normalized cross moments have a smaller determinant count as lying on one line.
SINGULAR = 1e-9

# The smallest root is approached from below, quadratically at the end; well-posed cases need about six steps.
_NEWTON_STEPS = 14


def fit_affines(points: Tensor, images: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The affines that carry ``points`` to ``images``, over any leading dimensions, with weighted points.

    Args:
        points: (..., N, 2) finite, anything where the weight is 0.
        images: (..., N, 2), likewise.
        weights: (..., N), at least 0; 0 leaves a point out.

    Returns:
        The affines (..., 2, 3) in float64, and bool (...) whether each exists. None that can be inverted does where
        the points or the images lie on one line, or fewer than three count; then the affine is NOWHERE.

    With both sides centered the offset is zero and only a 5-dimensional eigenproblem is left. Its matrix is
    [[S, 0, u], [0, S, v], [u', v', c]] for S the points' second moments and C = [u', v'] the cross moments:
    the linear part is C (S − λI)^-1, λ the smallest root of (c − λ) det(S − λI) = tr(adj(S − λI) C'C), a
    cubic. λ is the misfit: 0 when an affine fits exactly. Newton's steps from 0 climb to it without ever
    passing it.
    """
    weights = weights.to(torch.float64)[..., None]
    total = weights.sum(dim=-2).clamp(min=1e-30)
    center_p, scale_p, p = _normalize(points.to(torch.float64), weights, total)
    center_q, scale_q, q = _normalize(images.to(torch.float64), weights, total)

    share = weights / total[..., None]
    second = (share * p).mT @ p
    cross = (share * q).mT @ p
    gram = cross.mT @ cross
    s_xx, s_xy, s_yy = second[..., 0, 0], second[..., 0, 1], second[..., 1, 1]
    det = s_xx * s_yy - s_xy**2
    trace = s_xx + s_yy
    adjoint = s_yy * gram[..., 0, 0] + s_xx * gram[..., 1, 1] - 2 * s_xy * gram[..., 0, 1]
    gram_trace = gram[..., 0, 0] + gram[..., 1, 1]
    cross_det = cross[..., 0, 0] * cross[..., 1, 1] - cross[..., 0, 1] * cross[..., 1, 0]
    exists = (cross_det.abs() > SINGULAR) & ((weights > 0).sum(dim=(-2, -1)) >= 3)

    root = torch.zeros_like(det)
    for _ in range(_NEWTON_STEPS):
        quadratic = (root - trace) * root + det
        value = (2 - root) * quadratic - adjoint + gram_trace * root
        slope = (2 - root) * (2 * root - trace) - quadratic + gram_trace
        root = root - value / torch.where(slope < 0, slope, -1.0)
    a_xx, a_yy = s_xx - root, s_yy - root
    shifted_det = a_xx * a_yy - s_xy**2
    inverse = torch.stack([a_yy, -s_xy, -s_xy, a_xx], dim=-1).unflatten(-1, (2, 2))
    inverse = inverse / torch.where(exists, shifted_det, 1.0)[..., None, None]
    linear = cross @ inverse * (scale_p / scale_q)[..., None]
    offset = center_q[..., None] - linear @ center_p[..., None]

    fitted = torch.cat([linear, offset], dim=-1)
    nowhere = torch.tensor(NOWHERE, dtype=torch.float64).to(points.device)
    return torch.where(exists[..., None, None], fitted, nowhere), exists


def _normalize(points: Tensor, weights: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centers (..., 2), scales (..., 1), and the points centered and scaled."""
    center = (weights * points).sum(dim=-2) / total
    centered = points - center[..., None, :]
    mean_square = (weights * centered.square()).sum(dim=(-2, -1), keepdim=True)[..., 0] / total
    scale = (2 / mean_square.clamp(min=1e-30)).sqrt()
    return center, scale, centered * scale[..., None]
