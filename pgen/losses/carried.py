"""An addition to the paper: the error of a mask of things that are carried, where it is known what is carried."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def carried_loss(logits: Tensor, carried: Tensor, is_known: Tensor) -> Tensor:
    """Cross entropy, a mean over pixels, and 1 − Σ Ĉ·C / Σ (Ĉ + C − Ĉ·C) over all masks together, if not empty.

    Args:
        logits: (B, H, W), whose sigmoid is Ĉ.
        carried: bool (B, H, W), the masks C.
        is_known: bool (B,), which of them count.
    """
    true = carried.to(logits.dtype)
    known = is_known[:, None, None].to(logits.dtype).expand_as(logits)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, true, known, reduction="sum") / known.sum().clamp_min(1)
    found, true = logits.sigmoid() * known, true * known
    both, either = (found * true).sum(), (found + true - found * true).sum()
    return cross_entropy + true.any() * (1 - both / either.clamp_min(1))
