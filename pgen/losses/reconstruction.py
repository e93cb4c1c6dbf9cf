"""Additions to the paper: L1 to a picture that is known to be right, wholly or in part."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def reconstruction_loss(generated: Tensor, truth: Tensor) -> Tensor:
    """|generated − truth|, a mean over pictures (B, 3, H, W)."""
    return F.l1_loss(generated, truth)


def warp_l1_loss(generated: Tensor, pasted: Tensor, confidence: Tensor) -> Tensor:
    """|generated − pasted| · confidence, a mean: L1 to the label-aware paste (B, 3, H, W) where the source shows it.

    ``confidence`` (B, 1, H, W) is from 0 to 1, see `pgen.body.paste.Paste`.
    """
    return ((generated - pasted).abs() * confidence).mean()
