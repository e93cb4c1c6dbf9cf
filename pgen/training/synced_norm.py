"""Batch norm over the samples of all processes; torch's own does it on GPUs only."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Average(torch.autograd.Function):
    """Mean over the processes; so is the gradient, for all of them use the result."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return _average(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _average(gradients[0])


def _average(values: Tensor) -> Tensor:
    values = values.contiguous().clone()
    dist.all_reduce(values)
    return values / dist.get_world_size()


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """(B, C, H, W) → the same shape, by the statistics of all processes' samples; as many in each."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            x = input.float()
            mean = _Average.apply(x.mean((0, 2, 3)))[:, None, None]
            centered = x - mean
            variance = _Average.apply(centered.square().mean((0, 2, 3)))
            self._update_running(mean.flatten(), variance, dist.get_world_size() * x.numel() // x.shape[1])
            scale = self.weight * torch.rsqrt(variance + self.eps)
            return (centered * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None and self.running_var is not None  # noqa: PT018
        assert self.num_batches_tracked is not None
        momentum = 0.1 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * count / max(count - 1, 1), momentum)
        self.num_batches_tracked.add_(1)


def convert_batch_norms(network: nn.Module) -> None:
    """Make the batch norms inside ``network`` synced ones, with the parameters and statistics that they have."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d  # which differs in its forward alone
