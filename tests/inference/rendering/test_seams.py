from __future__ import annotations

import torch

from pgen.inference.rendering.seams import blend_bands


def test_bands_keep_one_picture_and_join_two() -> None:
    one = torch.rand(3, 64, 48) * 255
    share = torch.zeros(64, 48)
    share[:, :24] = 1
    torch.testing.assert_close(blend_bands(one, one, share), one, atol=0.01, rtol=0)
    joined = blend_bands(torch.full_like(one, 200), torch.full_like(one, 100), share)
    assert joined[:, :, 0].mean() > 185
    assert joined[:, :, -1].mean() < 115
    assert joined.diff(dim=2).abs().max() < 40  # no step of 100
