"""Differences of images pixel by pixel."""

from __future__ import annotations

import torch
from torch import Tensor


def psnr(generated: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each pair of uint8 images (B, 3, H, W): float64 (B,), +inf where equal."""
    return 10 * torch.log10(255**2 / _differences(generated, target).square().mean((1, 2, 3)))


def l1(generated: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of each pair of uint8 images (B, 3, H, W), of values in [0, 1]: float64 (B,)."""
    return _differences(generated, target).abs().mean((1, 2, 3)) / 255


def _differences(generated: Tensor, target: Tensor) -> Tensor:
    if generated.shape != target.shape:
        raise ValueError(f"images of one size, not {tuple(generated.shape)} and {tuple(target.shape)}")
    return generated.to(torch.float64) - target.to(torch.float64)
