from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from pgen.errors import InputError
from pgen.metrics.ssim_kernel import ssim
from tests.models.pictures import pictures


def reference(generated: Tensor, target: Tensor, protocol: str, full: bool = False) -> Any:
    """SSIM as the papers' code calls scikit-image; ``full``: with the map of all windows."""
    a, b = (image.permute(1, 2, 0).numpy() for image in (generated, target))
    if protocol == "gfla-51":
        a, b = (image.astype(np.float32) / 255 for image in (a, b))
        return structural_similarity(b, a, win_size=51, data_range=1, channel_axis=2)
    if protocol != "legacy" and a.shape[1] == 256:
        a, b = a[:, 40:216], b[:, 40:216]
    if protocol == "legacy-256pad":
        a, b = (np.pad(image, ((0, 0), (40, 40), (0, 0)), constant_values=255) for image in (a, b))
    spread = 255 if protocol == "gaussian-255" else a.max() - a.min()
    return structural_similarity(
        b,
        a,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=spread,
        full=full,
    )


SIZES = {
    "legacy": [(256, 256), (128, 64), (51, 37), (11, 11)],
    "gaussian-255": [(128, 128), (33, 70)],
    "legacy-176": [(256, 256), (256, 176)],
    "legacy-256pad": [(256, 256), (256, 176)],
    "gfla-51": [(256, 256), (256, 176), (51, 64)],
}


@pytest.mark.parametrize("protocol", SIZES)
def test_equal_to_scikit_image_on_50_pairs(protocol: str) -> None:
    per_size = -(-50 // len(SIZES[protocol]))
    for number, size in enumerate(SIZES[protocol]):
        generated, target = pictures(per_size, size, seed=number)
        expected = [reference(a, b, protocol) for a, b in zip(generated, target, strict=True)]
        assert max(expected) > 0.9
        assert min(expected) < 0.5
        np.testing.assert_allclose(ssim(generated, target, protocol), expected, atol=1e-5, rtol=0)


def test_on_images_of_little_contrast() -> None:
    """Data ranges of a few grey values, where rounding errors would show."""
    rng = np.random.default_rng(0)
    generated = torch.from_numpy(rng.integers(100, 104, (4, 3, 64, 64), dtype=np.uint8))
    target = torch.from_numpy(rng.integers(200, 203, (4, 3, 64, 64), dtype=np.uint8))
    expected = [reference(a, b, "legacy") for a, b in zip(generated, target, strict=True)]
    np.testing.assert_allclose(ssim(generated, target), expected, atol=1e-5, rtol=0)


def test_a_constant_image_is_worth_nothing() -> None:
    flat = torch.full((1, 3, 20, 20), 7, dtype=torch.uint8)
    assert ssim(flat, pictures(1, (20, 20))[1]) == 0
    assert ssim(flat, flat).isnan().all()
    assert ssim(flat, flat, "gaussian-255") == 1


def test_many_threads_change_nothing() -> None:
    generated, target = pictures(5, (64, 64))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = ssim(generated, target)
        torch.set_num_threads(3)
        torch.testing.assert_close(ssim(generated, target), alone, rtol=0, atol=0)
    finally:
        torch.set_num_threads(before)


def test_padding_lifts_the_score_as_predicted() -> None:
    """Of 246 columns of the map, 166 are the content's, 60 white, 20 straddle: s' = 166/246·s + (60 + 20·e)/246."""
    generated, target = pictures(6, (256, 176))
    for images in (generated, target):
        images[:, :, 0, 0], images[:, :, 0, 1] = 255, 0  # the same data range with white and without
    score, padded = ssim(generated, target, "legacy-176"), ssim(generated, target, "legacy-256pad")
    maps = [reference(a, b, "legacy-256pad", full=True)[1][5:-5, 5:-5] for a, b in zip(generated, target, strict=True)]
    columns = torch.from_numpy(np.stack(maps)).mean((1, 3))
    straddling = torch.cat([columns[:, 30:40], columns[:, 206:216]], 1).mean(1)
    torch.testing.assert_close(padded, 166 / 246 * score + (60 + 20 * straddling) / 246, atol=1e-6, rtol=0)
    # With white margins of 10 pixels, as in DeepFashion, e = 1.
    for images in (generated, target):
        images[..., :10], images[..., -10:] = 255, 255
        images[:, :, 0, 80] = 0
    score, padded = ssim(generated, target, "legacy-176"), ssim(generated, target, "legacy-256pad")
    torch.testing.assert_close(padded, 166 / 246 * score + 80 / 246, atol=1e-6, rtol=0)
    assert padded[0] > score[0] + 0.1


def test_mask_ssim_multiplies_both_images() -> None:
    generated, target = pictures(4, (64, 48))
    mask = torch.zeros(4, 1, 64, 48)
    mask[:, :, 10:40, 20:30] = 1
    masked = ssim(generated * mask.byte(), target * mask.byte())
    torch.testing.assert_close(ssim(generated, target, mask=mask), masked, rtol=0, atol=0)
    assert (masked > ssim(generated, target)).any()


def test_figure_ssim_looks_at_the_figure_alone() -> None:
    generated, target = pictures(2, (64, 64))
    generated[0], generated[1] = target[0], target[1]
    generated[..., :32] = 0  # all that differs is left of the figure, windows included
    figure = torch.zeros(2, 64, 64, dtype=torch.bool)
    figure[:, 20:50, 40:60] = True
    torch.testing.assert_close(ssim(generated, target, figure=figure), torch.ones(2, dtype=torch.float64))
    assert (ssim(generated, target, figure=~figure) < 0.9).all()
    whole = torch.ones(2, 64, 64, dtype=torch.bool)
    torch.testing.assert_close(ssim(generated, target, figure=whole), ssim(generated, target))
    assert ssim(generated, target, figure=~whole).isnan().all()


def test_refusals() -> None:
    generated, target = pictures(1, (64, 64))
    with pytest.raises(InputError, match="choose one of legacy"):
        ssim(generated, target, "best")
    with pytest.raises(InputError, match="64 pixels wide"):
        ssim(generated, target, "legacy-176")
    with pytest.raises(ValueError, match="one size"):
        ssim(generated, target[..., 1:])
    with pytest.raises(ValueError, match="uint8"):
        ssim(generated.float(), target.float())
    with pytest.raises(ValueError, match="window of 51"):
        ssim(generated[..., :50], target[..., :50], "gfla-51")
