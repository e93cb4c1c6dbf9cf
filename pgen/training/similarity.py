"""How alike two images are, for validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pgen.metrics import ssim_kernel as batches


def as_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Images (B, 3, H, W) in [−1, 1] as uint8 (B, H, W, 3)."""
    return batches.as_bytes(images).permute(0, 2, 3, 1).cpu().numpy()


def ssim(found: Tensor, true: Tensor, mask: Tensor | None = None) -> list[float]:
    """SSIM of each image (B, 3, H, W) in [−1, 1] as bytes; both are multiplied by ``mask`` (B, 1, H, W) first."""
    images = (batches.as_bytes(found).cpu(), batches.as_bytes(true).cpu())
    scores: list[float] = batches.ssim(*images, "gaussian-255", None if mask is None else mask.cpu()).tolist()
    return scores
