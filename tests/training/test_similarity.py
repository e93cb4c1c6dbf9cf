from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from pgen.training.similarity import as_bytes, ssim


@pytest.mark.parametrize("size", [(64, 64), (128, 64)])
def test_equal_to_scikit_image(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    true = torch.rand(3, 3, *size, generator=generator) * 2 - 1
    found = (true + 0.4 * torch.randn(3, 3, *size, generator=generator)).clamp(-1, 1)
    mask = (torch.rand(3, 1, *size, generator=generator) > 0.5).float()
    for kept in (None, mask):
        shown = 1 if kept is None else kept.byte().permute(0, 2, 3, 1).numpy()
        expected = [
            structural_similarity(
                a, b, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            for a, b in zip(as_bytes(found) * shown, as_bytes(true) * shown, strict=True)
        ]
        assert min(expected) < 0.95
        np.testing.assert_allclose(ssim(found, true, kept), expected, atol=1e-5, rtol=0)


def test_bytes_are_laid_out_as_pictures() -> None:
    images = torch.linspace(-1, 1, 24).reshape(1, 3, 2, 4)
    found = as_bytes(images)
    assert found.shape == (1, 2, 4, 3)
    assert found[0, 0, 0].tolist() == [0, round(8 / 23 * 255), round(16 / 23 * 255)]
