"""Agreement of parsing maps."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.labels import LABEL_COUNT
from pgen.metrics.base import Batch, Metric, register


def count_intersection_and_union(found: Tensor, true: Tensor) -> Tensor:
    """Pixels in the intersection and the union of each label, of each pair of maps.

    Label ids (B, H, W) → float64 (B, 20): ten intersections, ten unions. Sums over images make the mIoU of all.
    """
    batch = len(true)
    cells = (true.long() * LABEL_COUNT + found.long()).flatten(1)
    cells = cells + torch.arange(batch, device=cells.device)[:, None] * LABEL_COUNT**2
    table = torch.bincount(cells.flatten(), minlength=batch * LABEL_COUNT**2).double()
    table = table.reshape(batch, LABEL_COUNT, LABEL_COUNT)
    both = table.diagonal(dim1=1, dim2=2)
    return torch.cat([both, table.sum(1) + table.sum(2) - both], 1)


def mean_iou(sums: Tensor) -> Tensor:
    """Sums (..., 20) of `count_intersection_and_union` → mean IoU (...) over the labels that occur.

    >>> found, true = torch.tensor([[[0, 0, 3, 3]]]), torch.tensor([[[0, 3, 3, 3]]])
    >>> round(mean_iou(count_intersection_and_union(found, true).sum(0)).item(), 3)
    0.583
    """
    intersections, unions = sums.chunk(2, -1)
    return (intersections / unions).nanmean(-1)


@register("miou")
class MeanIou(Metric):
    protocol = "of sums over all pairs, mean over the labels that occur"
    higher_is_better = True
    needs = ("parsing", "predicted parsing")

    def rows(self, batch: Batch) -> Tensor:
        assert batch.parsing is not None
        assert batch.predicted_parsing is not None
        return count_intersection_and_union(batch.predicted_parsing, batch.parsing)

    def score(self, sums: Tensor) -> Tensor:
        return mean_iou(sums)
