from __future__ import annotations

import numpy as np
import torch

from pgen.inference.rendering.borders import find_near_labels, smooth_outlines


def test_labels_are_near_within_the_radius() -> None:
    labels = np.zeros((9, 20), np.int64)
    labels[:, 10:] = 3
    near = find_near_labels(labels, 2)
    assert near[4, [0, 7, 8, 11, 12]].tolist() == [1, 1, 9, 9, 8]


def test_jags_go_and_straight_outlines_stay() -> None:
    labels = torch.zeros(40, 40, dtype=torch.long)
    labels[:, 20:] = 4
    assert (smooth_outlines(labels, 2.0) == labels).all()
    jagged = labels.clone()
    jagged[10, 18:20] = 4
    jagged[30, 20:22] = jagged[20, 25] = 0
    assert (smooth_outlines(jagged, 2.0) == labels).all()
