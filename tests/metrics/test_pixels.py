from __future__ import annotations

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from pgen.metrics.pixels import l1, psnr
from tests.models.pictures import pictures


def test_psnr_equals_scikit_image() -> None:
    generated, target = pictures(8, (40, 30))
    target = target ^ 1
    expected = [
        peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=255) for a, b in zip(generated, target, strict=True)
    ]
    torch.testing.assert_close(psnr(generated, target), torch.tensor(expected, dtype=torch.float64))
    assert psnr(target, target).isposinf().all()


def test_l1_counts_in_shares_of_the_range() -> None:
    dark, light = torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.full((1, 3, 4, 4), 255, dtype=torch.uint8)
    assert l1(dark, light).item() == 1
    light[..., :2] = 0
    assert l1(dark, light).item() == l1(light, dark).item() == 0.5


def test_sizes_must_agree() -> None:
    generated, target = pictures(1, (16, 16))
    with pytest.raises(ValueError, match="one size"):
        l1(generated, target[..., :8])
