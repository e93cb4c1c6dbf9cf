"""Random weights with the names of the published EfficientNet-Lite0."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# (expansion, kernel, stride, channels, blocks) of each stage.
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3))
LAST = ((6, 5, 2, 192, 4), (6, 3, 1, 320, 1))


def published(stages: tuple[tuple[int, int, int, int, int], ...]) -> dict[str, Tensor]:
    """Random weights with the published names."""
    state: dict[str, Tensor] = {}

    def conv(name: str, norm: str, into: int, out: int, kernel: int) -> None:
        state[f"{name}.weight"] = torch.randn(out, into, kernel, kernel) / math.sqrt(into * kernel**2)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(out) + 0.5, torch.randn(out)
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = torch.randn(out), torch.rand(out) + 0.01

    conv("_conv_stem", "_bn0", 3, 32, 3)
    before, block = 32, 0
    for expansion, kernel, _, channels, blocks in stages:
        for _ in range(blocks):
            name, inner = f"_blocks.{block}.", before * expansion
            if expansion > 1:
                conv(f"{name}_expand_conv", f"{name}_bn0", before, inner, 1)
            conv(f"{name}_depthwise_conv", f"{name}_bn1", 1, inner, kernel)
            conv(f"{name}_project_conv", f"{name}_bn2", inner, channels, 1)
            before, block = channels, block + 1
    return state
