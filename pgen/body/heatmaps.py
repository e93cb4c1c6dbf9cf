"""Joint heatmaps of one pose. The batched form is in ``batched``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints

#: Standard deviation of a joint's blob, in pixels of a 256-pixel frame (method of SPT, section 3).
SIGMA = 6.0


def heatmap_sigma(size: tuple[int, int]) -> float:
    """The standard deviation in pixels that suits a frame of ``size`` (height, width)."""
    return SIGMA * max(size) / 256


def heatmaps(pose: NDArray[np.floating], size: tuple[int, int], sigma: float = SIGMA) -> NDArray[np.float32]:
    """One channel a joint, exp(−d²/2σ²) for d the distance from it in pixels; zeros where it is missing.

    Args:
        pose: (18, 2) of (x, y) in the frame; NaN = missing.
        size: the frame's (height, width).
        sigma: in pixels of this frame.

    Returns:
        float32 (18, height, width) in [0, 1].
    """
    there = known_joints(pose)[:, None]
    centres = np.where(there, np.asarray(pose, dtype=np.float64), 0)
    across = np.exp(-((np.arange(size[1]) - centres[:, :1]) ** 2) / (2 * sigma**2))
    down = np.exp(-((np.arange(size[0]) - centres[:, 1:]) ** 2) / (2 * sigma**2)) * there
    return np.einsum("jy,jx->jyx", down, across).astype(np.float32)
