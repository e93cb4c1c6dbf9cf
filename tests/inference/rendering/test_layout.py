from __future__ import annotations

import torch

from pgen.inference.rendering.layout import find_within, look_up


def test_nothing_is_known_beyond_the_photo() -> None:
    labels = torch.ones(4, 6, dtype=torch.long)
    places = torch.tensor([[0.0, 0], [5.4, 3.4], [5.6, 1], [2, 3.6], [-0.6, 1], [torch.nan, 1]])
    assert find_within(labels, places).tolist() == [True, True, False, False, False, False]
    assert look_up(labels, places[:2]).tolist() == [1, 1]
