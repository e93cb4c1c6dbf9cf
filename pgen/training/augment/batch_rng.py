"""Random numbers of a batch, each sample's from its own seed, so that a sample is the same in any part of a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


class BatchRng:
    """Random numbers for B samples at once, drawn on the CPU; results go to ``device``. Seeds are long (B,)."""

    def __init__(self, seeds: Tensor, device: torch.device | str = "cpu") -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]
        self._device = device

    def select(self, which: Tensor) -> BatchRng:
        """The numbers of the samples where ``which``, bool (B,), is true."""
        part = BatchRng(torch.empty(0), self._device)
        part._generators = [one for one, chosen in zip(self._generators, which.tolist(), strict=True) if chosen]
        return part

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Numbers (B, *shape) from ``low`` to ``high``."""
        return low + (high - low) * self._draw(lambda one: torch.rand(shape, generator=one))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers (B, *shape)."""
        return self._draw(lambda one: torch.randn(shape, generator=one))

    def chance(self, share: float, *shape: int) -> Tensor:
        """bool (B, *shape), true with probability ``share``."""
        return self.uniform(0, 1, *shape) < share

    def field(self, channels: int, cells: int, size: tuple[int, int]) -> Tensor:
        """Smooth noise (B, channels, height, width) of standard normal numbers in ``cells`` × ``cells`` places."""
        return F.interpolate(self.normal(channels, cells, cells), size=size, mode="bilinear", align_corners=True)

    def _draw(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(one) for one in self._generators]).to(self._device)


def to_image_shape(values: Tensor) -> Tensor:
    """Numbers (B,) as (B, 1, 1, 1)."""
    return values[:, None, None, None]
