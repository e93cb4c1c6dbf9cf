"""Differences of single pixels: peak signal-to-noise ratio and mean absolute difference."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.metrics.base import Batch, Metric, mean_rows, register


def psnr(generated: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each pair of uint8 images (B, 3, H, W): float64 (B,), +inf where equal.

    >>> black = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    >>> round(psnr(black, black + 16).item(), 2)
    24.05
    """
    return 10 * torch.log10(255**2 / _subtract(generated, target).square().mean((1, 2, 3)))


def l1(generated: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of each pair of uint8 images (B, 3, H, W), of values in [0, 1]: float64 (B,)."""
    return _subtract(generated, target).abs().mean((1, 2, 3)) / 255


def _subtract(generated: Tensor, target: Tensor) -> Tensor:
    if generated.shape != target.shape:
        raise ValueError(f"images of one size, not {tuple(generated.shape)} and {tuple(target.shape)}")
    return generated.double() - target.double()


@register("psnr")
class Psnr(Metric):
    protocol = "8-bit RGB, in dB; identical images, which have none, left out"
    higher_is_better = True
    decimals = 2

    def rows(self, batch: Batch) -> Tensor:
        return mean_rows(psnr(batch.generated, batch.target))


@register("l1")
class L1(Metric):
    protocol = "mean absolute difference of RGB in [0, 1]"
    higher_is_better = False

    def rows(self, batch: Batch) -> Tensor:
        return mean_rows(l1(batch.generated, batch.target))
