"""Gradient checkpointing: what a network computes on the way is computed again for the gradient, and not kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

_Network = TypeVar("_Network", bound=nn.Module)

_LARGE = 128 * 128  # pixels


class Checkpointed(nn.Module):
    """A network, or a block of one, that keeps for the gradient what goes into its segments, and not what is within."""

    gradient_checkpointing = False  #: whether it does; else all is kept

    def run_segment(self, compute: Callable[..., Tensor], *given: Tensor) -> Tensor:
        """``compute(*given)``, features (B, ·, H, W); large ones, of which one keeps a device busy, one by one."""
        if not self.gradient_checkpointing or given[0].shape[2] * given[0].shape[3] < _LARGE:
            return run_checkpointed(compute, *given, is_kept=not self.gradient_checkpointing)
        samples = zip(*(part.split(1) for part in given), strict=True)
        return torch.cat([run_checkpointed(compute, *sample, is_kept=False) for sample in samples])


def enable_gradient_checkpointing(network: _Network) -> _Network:
    """``network``, all segments of which are computed again for the gradient from now on."""
    for module in network.modules():
        if isinstance(module, Checkpointed):
            module.gradient_checkpointing = True
    return network


def run_checkpointed(compute: Callable[..., Tensor], *given: Any, is_kept: bool, **named: Any) -> Tensor:
    """What ``compute`` makes of what is given; what it computes on the way ``is_kept`` for the gradient, or not.

    Not for networks in training mode with batch norms, which would count a batch twice.
    """
    if is_kept or not torch.is_grad_enabled():
        return compute(*given, **named)
    return checkpoint(compute, *given, use_reentrant=False, **named)
