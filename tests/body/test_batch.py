from __future__ import annotations

import torch

from pgen.body.batch import to_pictures, to_uint8


def test_values_are_rounded_as_saving_does() -> None:
    values = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert to_uint8(values).tolist() == [0, 0, 128, 191, 255, 255]


def test_pictures_have_their_channels_last() -> None:
    found = to_pictures(torch.linspace(-1, 1, 24).reshape(1, 3, 2, 4))
    assert found.shape == (1, 2, 4, 3)
    assert found[0, 0, 0].tolist() == [0, round(8 / 23 * 255), round(16 / 23 * 255)]
