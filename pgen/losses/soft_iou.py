"""An addition to the paper: 1 − mean IoU of a predicted map, made differentiable.

Cross entropy counts pixels, so that a label that is rare and thin, such as an arm, is left out where it is not sure;
here all labels of a map count the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.losses.cross_entropy import IGNORED_LABEL


def soft_iou_loss(logits: Tensor, labels: Tensor, over_batch: bool = False, weights: Tensor | None = None) -> Tensor:
    """1 − Σ Ŝ·S / Σ (Ŝ + S − Ŝ·S), a mean over the labels that occur.

    Args:
        logits: (B, 10, H, W), whose softmax is Ŝ.
        labels: long (B, H, W), the map S; pixels with `IGNORED_LABEL` count as without error.
        over_batch: areas are those of all maps together, as in the score that is reported (in several processes or
            parts of a batch, of those that are seen at once); else of each map, and the result is the maps' mean.
        weights: of the samples, (B,).
    """
    found = logits.softmax(1) * (labels != IGNORED_LABEL).to(logits.dtype)[:, None]
    ids = torch.arange(logits.shape[1], device=labels.device)[:, None, None]
    true = (labels[:, None] == ids).to(found.dtype)  # laid out in memory as what is found: products of both are fast
    intersection, predicted, area = (part.sum((2, 3)) for part in (found * true, found, true))
    sums = predicted + area
    if over_batch and weights is not None:
        intersection, sums, area = (part * weights[:, None] for part in (intersection, sums, area))
    if over_batch:
        intersection, sums, area = (part.sum(0, keepdim=True) for part in (intersection, sums, area))
    union = sums - intersection
    occurs = (area > 0).to(found.dtype)
    missed = occurs * (1 - intersection / union.clamp_min(1))
    loss = missed.sum(1) / occurs.sum(1).clamp_min(1)
    return loss.mean() if weights is None or over_batch else (loss * weights).mean()
