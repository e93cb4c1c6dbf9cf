"""4×4 convolutions of stride 2 and padding 1: as products of matrices where weights are many and pixels few.

There, a processor's library takes most of its time to sort the weights anew at each call; a product takes them as they
lie in channels-last memory.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# So many pixels of the smaller map at the most, twice as many where no gradient is asked for, and so many weights at
# least: with more of one or less of the other, the library's way is as fast (tests/benchmarks/bench_strided_convs.py).
_FEW, _MANY = 512, 2**22


class HalvingConv(nn.Conv2d):
    """(B, C, H, W) → (B, C', H/2, W/2)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if not _is_worth(x, self.weight, (x.shape[2] // 2) * (x.shape[3] // 2)):
            return super().forward(x)
        return halve(x, self.weight)


class DoublingConv(nn.ConvTranspose2d):
    """(B, C, H, W) → (B, C', 2H, 2W)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or not _is_worth(x, self.weight, x.shape[2] * x.shape[3]):
            return super().forward(x, output_size)
        return double(x, self.weight)


def _is_worth(x: Tensor, weight: Tensor, pixels: int) -> bool:
    few = _FEW if torch.is_grad_enabled() else 2 * _FEW
    return x.device.type == "cpu" and weight.numel() >= _MANY and len(x) * pixels <= few


def halve(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution of ``x`` (B, C, H, W) by ``weight`` (C', C, 4, 4), as a product."""
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, 4, 2).unfold(2, 4, 2).permute(0, 1, 2, 4, 5, 3)  # (B, H/2, W/2, 4, 4, C)
    rows = windows.flatten(0, 2).flatten(1) @ weight.permute(0, 2, 3, 1).flatten(1).t()
    return rows.view(*windows.shape[:3], len(weight)).permute(0, 3, 1, 2)


def double(x: Tensor, weight: Tensor) -> Tensor:
    """The transposed convolution of ``x`` (B, C, H, W) by ``weight`` (C, C', 4, 4), as a product."""
    batch, _, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).flatten(0, 2) @ weight.permute(0, 2, 3, 1).flatten(1)
    # Each pixel becomes 4×4, two blocks of 2×2 a side, which lie over those of its neighbors.
    pixels = rows.view(batch, height, width, 2, 2, 2, 2, weight.shape[1])
    total = rows.new_zeros(batch, height + 1, width + 1, 2, 2, weight.shape[1], dtype=torch.float32)
    for row in range(2):
        for column in range(2):
            total[:, row : row + height, column : column + width] += pixels[:, :, :, row, :, column]
    whole = total.transpose(2, 3).reshape(batch, 2 * height + 2, 2 * width + 2, weight.shape[1])
    return whole[:, 1:-1, 1:-1].to(rows.dtype).permute(0, 3, 1, 2)
