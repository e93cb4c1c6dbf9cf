"""Affine transforms from corresponding points, by the normalised direct linear transform (DLT).

An affine is a (2, 3) matrix on (x, y, 1). Both forms solve the same problem: the points of either side are
centred and scaled to a mean square distance of 2 from their centre (Hartley, *In defense of the eight-point
algorithm*, 1997), then the total least squares solution of the DLT equations is taken and the scaling undone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: The transform of a part that cannot be found: whatever it samples lies outside every frame.
NOWHERE = np.array([[1.0, 0.0, 1000.0], [0.0, 1.0, 1000.0]])

#: Points whose normalised cross moments have a smaller determinant count as lying on one line.
SINGULAR = 1e-9

# The smallest root is approached from below, quadratically at the end; well-posed cases need about six steps.
_NEWTON_STEPS = 14


def fit_affine(points: NDArray[np.floating], images: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """The affine that carries ``points`` (N, 2) to ``images`` (N, 2), N >= 3: float64 (2, 3).

    None where the points or the images lie on one line, or there are too few: no invertible affine exists.
    """
    count = len(points)
    if count < 3:
        return None
    from_points, p = _normalise(np.asarray(points, dtype=np.float64))
    from_images, q = _normalise(np.asarray(images, dtype=np.float64))
    if abs(np.linalg.det(q.T @ p / count)) <= SINGULAR:
        return None
    equations = np.zeros((2 * count, 7))
    equations[:count, 0:2], equations[:count, 2] = p, 1
    equations[count:, 3:5], equations[count:, 5] = p, 1
    equations[:count, 6], equations[count:, 6] = q[:, 0], q[:, 1]
    solution = np.linalg.svd(equations)[2][-1]
    normalised = np.vstack([-(solution[:6] / solution[6]).reshape(2, 3), [0, 0, 1]])
    fitted: NDArray[np.float64] = (np.linalg.inv(from_images) @ normalised @ from_points)[:2]
    return fitted


def _normalise(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The (3, 3) matrix that centres and scales ``points``, and the points so normalised."""
    centre = points.mean(axis=0)
    scale = np.sqrt(2 / max(((points - centre) ** 2).sum(axis=1).mean(), 1e-30))
    matrix = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])
    return matrix, (points - centre) * scale


def fit_affines(points: Tensor, images: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Many affines at once: ``fit_affine`` over any leading dimensions, with weighted points.

    Args:
        points: (..., N, 2) finite, anything where the weight is 0.
        images: (..., N, 2), likewise.
        weights: (..., N), at least 0; 0 leaves a point out.

    Returns:
        The affines (..., 2, 3) in float64, and bool (...) whether each exists; where not, the affine is
        NOWHERE.

    With both sides centred the offset is zero and only a 5-dimensional eigenproblem is left. Its matrix is
    [[S, 0, u], [0, S, v], [u', v', c]] for S the points' second moments and C = [u', v'] the cross moments:
    the linear part is C (S − λI)^-1, λ the smallest root of (c − λ) det(S − λI) = tr(adj(S − λI) C'C), a
    cubic. λ is the misfit: 0 when an affine fits exactly. Newton's steps from 0 climb to it without ever
    passing it.
    """
    weights = weights.to(torch.float64)[..., None]
    total = weights.sum(dim=-2).clamp(min=1e-30)
    centre_p, scale_p, p = _normalised(points.to(torch.float64), weights, total)
    centre_q, scale_q, q = _normalised(images.to(torch.float64), weights, total)

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
    offset = centre_q[..., None] - linear @ centre_p[..., None]

    fitted = torch.cat([linear, offset], dim=-1)
    nowhere = torch.as_tensor(NOWHERE, dtype=torch.float64).to(points.device)
    return torch.where(exists[..., None, None], fitted, nowhere), exists


def _normalised(points: Tensor, weights: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centres (..., 2), scales (..., 1), and the points centred and scaled."""
    centre = (weights * points).sum(dim=-2) / total
    centred = points - centre[..., None, :]
    mean_square = (weights * centred.square()).sum(dim=(-2, -1), keepdim=True)[..., 0] / total
    scale = (2 / mean_square.clamp(min=1e-30)).sqrt()
    return centre, scale, centred * scale[..., None]


def apply_affine(affine: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """``points`` (..., 2) carried by ``affine`` (2, 3)."""
    return points @ affine[:, :2].T + affine[:, 2]


def invert_affine(affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """The affine (2, 3) that undoes ``affine``. Raises numpy.linalg.LinAlgError if it is singular."""
    linear = np.linalg.inv(np.asarray(affine, dtype=np.float64)[:, :2])
    return np.hstack([linear, -linear @ affine[:, 2:]])
