"""Pairs of images for tests: scenes with edges, gradients and noise, and distorted copies."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor


def pictures(count: int, size: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """``count`` pairs (generated, target) of uint8 (B, 3, H, W), from nearly equal to unrelated."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    generated, target = [], []
    for index in range(count):
        scene = np.stack([np.sin(x / rng.uniform(3, 30) + y / rng.uniform(3, 30)) for _ in range(3)])
        scene[:, rng.integers(height) :, rng.integers(width) :] += rng.uniform(-1, 1)
        noise = ndimage.gaussian_filter(rng.normal(size=(3, *size)), (0, 1, 1)) * (index % 5)
        low, high = sorted(rng.uniform(0, 255, 2))
        target.append(_as_bytes(scene, 0, 255))
        generated.append(_as_bytes(scene + noise, low if index % 3 == 0 else 0, high if index % 3 == 0 else 255))
    return torch.from_numpy(np.stack(generated)), torch.from_numpy(np.stack(target))


def _as_bytes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    span = np.ptp(values) or 1.0
    return ((values - values.min()) / span * (high - low) + low).round().astype(np.uint8)
