"""Gradient checkpointing: what a network computes on the way is computed again for the gradient, and not kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def run_for_gradient(network: Callable[..., Tensor], *given: Any, is_kept: bool, **named: Any) -> Tensor:
    """What ``network`` makes of what is given; what it computes on the way ``is_kept`` for the gradient, or not.

    Not for networks in training mode with batch norms, which would count a batch twice.
    """
    if is_kept or not torch.is_grad_enabled():
        return network(*given, **named)
    return checkpoint(network, *given, use_reentrant=False, **named)
