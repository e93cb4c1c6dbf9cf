"""The pose mask of one pose: a rough silhouette from the joints alone. The batched form is in ``batched``."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.joints import BONES, TORSO_JOINTS
from pgen.body.raster import RIM, polygon_mask

#: Half the thickness of a drawn limb, in pixels of a 256-pixel frame.
RADIUS = 4.0

#: Side of the square with which the mask is closed, in pixels of any frame.
CLOSING = 5


def pose_mask_radius(size: tuple[int, int]) -> float:
    """The radius in pixels that suits a frame of ``size`` (height, width)."""
    return RADIUS * max(size) / 256


def pose_mask(pose: NDArray[np.floating], size: tuple[int, int], radius: float = RADIUS) -> NDArray[np.bool_]:
    """The silhouette M_p of SPT: bool (height, width).

    Every pixel within ``radius`` pixels of a bone between known joints, and the filled quadrilateral of
    shoulders and hips if all four are known (its convex hull: a twisted body is no thinner); then a 5×5
    closing, for which nothing beyond the frame counts.

    Args:
        pose: (18, 2) of (x, y) in the frame; NaN = missing.
        size: the frame's (height, width).
    """
    joints = np.asarray(pose, dtype=np.float64)
    mask = np.zeros(size, dtype=bool)
    for triangle in combinations(TORSO_JOINTS, 3):
        if np.isfinite(joints[list(TORSO_JOINTS)]).all():
            mask |= polygon_mask(joints[list(triangle)], size)
    grid = np.stack(np.broadcast_arrays(np.arange(size[1]), np.arange(size[0])[:, None]), axis=-1)
    for start, end in BONES:
        if np.isfinite(joints[[start, end]]).all():
            mask |= _distance(grid, joints[start], joints[end]) <= radius + RIM
    square = np.ones((CLOSING, CLOSING), dtype=bool)
    grown = ndimage.binary_dilation(mask, square)
    closed: NDArray[np.bool_] = ndimage.binary_erosion(grown, square, border_value=1)
    return closed


def _distance(grid: NDArray[np.integer], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of every point (..., 2) from the segment between ``start`` and ``end``."""
    bone = end - start
    along = (grid - start) @ bone / np.maximum(bone @ bone, 1e-12)
    nearest = start + np.clip(along, 0, 1)[..., None] * bone
    distances: NDArray[np.float64] = np.linalg.norm(grid - nearest, axis=-1)
    return distances
