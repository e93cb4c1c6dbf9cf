"""How alike two images are, for validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor


def as_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Images (B, 3, H, W) in [−1, 1] as uint8 (B, H, W, 3)."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def ssim(found: Tensor, true: Tensor, mask: Tensor | None = None) -> list[float]:
    """SSIM of each image (B, 3, H, W) in [−1, 1] as bytes; both are multiplied by ``mask`` (B, 1, H, W) first."""
    shown = 1 if mask is None else mask.byte().permute(0, 2, 3, 1).cpu().numpy()
    return [
        structural_similarity(
            a,
            b,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(as_bytes(found) * shown, as_bytes(true) * shown, strict=True)
    ]
