"""Cross entropies of maps: H_S's against the pseudo label (SPT, section 3.1), a picture's against the one asked for."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

#: Stands in a map where no label is known; such pixels count as without error.
IGNORED_LABEL = -100


def parsing_cross_entropy(
    logits: Tensor, labels: Tensor, pose_mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    """− Σ (1 + M_t) · S* · log Ŝ, a mean over the pixels: errors on the body count twice.

    Args:
        logits: (B, 10, H, W), whose softmax is the predicted map Ŝ.
        labels: long (B, H, W), the pseudo label S*, with `IGNORED_LABEL` where it is not known.
        pose_mask: M_t (B, 1, H, W), 1 on the body in the target pose; none: all pixels count the same.
        weights: of the samples, (B,).
    """
    loss = F.cross_entropy(logits, labels, reduction="none", ignore_index=IGNORED_LABEL)
    loss = loss if pose_mask is None else loss * (1 + pose_mask[:, 0])
    return loss.mean() if weights is None else (loss * weights[:, None, None]).mean()


def parsed_map_loss(logits: Tensor, parsing: Tensor) -> Tensor:
    """− Σ S · log Ŝ, a mean over the pixels: does a parser see in a picture what it was painted into?

    Args:
        logits: (B, 10, H, W), whose softmax is the map Ŝ that the parser sees.
        parsing: (B, 10, H, W), the map S that was asked for, one-hot or soft; gradients go through both.
    """
    return -(parsing * F.log_softmax(logits.float(), 1)).sum(1).mean()
