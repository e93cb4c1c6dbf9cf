from __future__ import annotations

import numpy as np
import pytest
import torch

from pgen.metrics.miou import count_intersection_and_union, mean_iou


def test_counts_by_definition() -> None:
    rng = np.random.default_rng(0)
    found, true = (torch.from_numpy(rng.integers(0, 10, (3, 8, 6))) for _ in range(2))
    counts = count_intersection_and_union(found.byte(), true)
    for sample in range(3):
        for label in range(10):
            a, b = found[sample] == label, true[sample] == label
            assert counts[sample, label] == (a & b).sum()
            assert counts[sample, 10 + label] == (a | b).sum()


def test_mean_iou_leaves_out_labels_that_do_not_occur() -> None:
    assert mean_iou(torch.tensor([1.0, 0.0, 2.0, 0.0])) == 0.5
    true = torch.zeros(1, 4, 4, dtype=torch.long)
    true[:, 2:] = 3
    found = true.clone()
    found[:, 2] = 0
    # Background 8 of 12, upper 4 of 8.
    assert mean_iou(count_intersection_and_union(found, true).sum(0)).item() == pytest.approx((8 / 12 + 4 / 8) / 2)
    assert mean_iou(count_intersection_and_union(true, true).sum(0)).item() == 1
