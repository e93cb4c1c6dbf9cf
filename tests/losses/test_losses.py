"""The losses against golden vectors and hand-worked cases."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from pgen.body.batch import one_hot
from pgen.body.labels import Label
from pgen.losses.cross_entropy import IGNORED_LABEL, parsing_cross_entropy
from pgen.losses.gan import gan_fake_loss, gan_real_loss
from pgen.losses.perceptual import content_loss
from pgen.losses.pose import pose_loss
from pgen.losses.reconstruction import reconstruction_loss, warp_l1_loss
from pgen.losses.soft_iou import soft_iou_loss
from pgen.losses.style import STYLE_LABELS, gram_matrices, region_masks, shared_regions, style_loss


def test_golden_style_terms(golden) -> None:
    data = golden("style_loss")
    masks_a, masks_b = (region_masks(one_hot(torch.from_numpy(data[f"labels_{x}"]).long())) for x in ("a", "b"))
    real_a, fake_b, fake_a = (torch.from_numpy(data[f"feat_{x}"]).float() for x in ("real_a", "fake_b", "fake_a"))
    gram_real_a = gram_matrices(real_a, masks_a)
    gram_fake_b = gram_matrices(fake_b, masks_b)
    gram_fake_a = gram_matrices(fake_a, masks_a)
    shared = shared_regions(masks_a, masks_b)
    torch.testing.assert_close(gram_real_a, torch.from_numpy(data["gram_real_a"]), rtol=1e-5, atol=1e-6)
    assert torch.equal(shared, torch.from_numpy(data["visibility"]).float())
    for loss, name in (
        (style_loss(gram_fake_b, gram_real_a, shared), "style_real_a_fake_b"),
        (style_loss(gram_fake_a, gram_fake_b, shared), "style_fake_a_fake_b"),
    ):
        assert loss.item() == pytest.approx(float(data[name]), rel=1e-5)


def test_cross_entropy_counts_the_body_twice() -> None:
    logits = torch.zeros(1, 10, 2, 2)
    labels = torch.zeros(1, 2, 2, dtype=torch.long)
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert parsing_cross_entropy(logits, labels, mask).item() == pytest.approx(1.5 * torch.tensor(10.0).log().item())


def test_gan_losses_vanish_at_their_targets() -> None:
    assert gan_real_loss(torch.ones(1, 1, 2, 2)) == 0
    assert gan_fake_loss(torch.zeros(1, 1, 2, 2)) == 0
    assert gan_real_loss(torch.zeros(1, 1, 2, 2)) == 1
    assert gan_fake_loss(torch.full((1, 1, 2, 2), 0.5)) == 0.25


def test_gram_by_area_does_not_depend_on_a_region_s_size() -> None:
    features = torch.ones(1, 3, 16, 16)
    small, large = torch.zeros(1, 8, 16, 16), torch.zeros(1, 8, 16, 16)
    small[:, 0, :8], large[:, 0] = 1, 1
    small_gram, large_gram = (gram_matrices(features, m, by_area=True)[0, 0, 0, 0] for m in (small, large))
    assert small_gram.item() == pytest.approx(large_gram.item(), rel=0.05)
    assert gram_matrices(features, small)[0, 0, 0, 0].item() == pytest.approx(0.5)


def test_warp_l1_ignores_what_the_source_does_not_show() -> None:
    generated, pasted = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    confidence = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert warp_l1_loss(generated, pasted, confidence).item() == pytest.approx(0.25)


def test_cross_entropy_by_hand() -> None:
    """Pixel by pixel; one without a label counts as without error, on the body too."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 10, 3, 4, generator=generator)
    labels = torch.randint(10, (2, 3, 4), generator=generator)
    labels[0, 1] = IGNORED_LABEL
    mask = torch.randint(2, (2, 1, 3, 4), generator=generator).float()
    assert mask[0, 0, 1].any()
    total = 0.0
    for b, y, x in product(range(2), range(3), range(4)):
        if labels[b, y, x] != IGNORED_LABEL:
            share = logits[b, :, y, x].exp() / logits[b, :, y, x].exp().sum()
            total -= share[labels[b, y, x]].log().item() * (1 + mask[b, 0, y, x].item())
    assert parsing_cross_entropy(logits, labels, mask).item() == pytest.approx(total / 24, rel=1e-5)


def test_cross_entropy_of_nothing_known_teaches_nothing() -> None:
    logits = torch.randn(1, 10, 2, 2, requires_grad=True)
    loss = parsing_cross_entropy(logits, torch.full((1, 2, 2), IGNORED_LABEL), torch.ones(1, 1, 2, 2))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("by_area", [False, True])
def test_gram_matrices_and_style_pixel_by_pixel(by_area: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 2, 4, generator=generator)
    masks = torch.rand(2, 8, 2, 4, generator=generator)
    expected = torch.zeros(2, 8, 3, 3)
    for b, region, y, x in product(range(2), range(8), range(2), range(4)):
        value = features[b, :, y, x] * masks[b, region, y, x]
        expected[b, region] += value[:, None] * value[None, :]
    for b, region in product(range(2), range(8)):
        area = masks[b, region].sum()
        expected[b, region] *= 0.1 / (area + 0.02 * 8) if by_area else 1 / 8
    grams = gram_matrices(features, masks, by_area)
    torch.testing.assert_close(grams, expected)
    shared = shared_regions(masks[:1], masks[1:])
    total = 0.0
    for region in range(8):
        both = masks[0, region].max() * masks[1, region].max()
        total += ((expected[0, region] - expected[1, region]) * both).square().sum().item()
    assert style_loss(grams[:1], grams[1:], shared).item() == pytest.approx(total / (8 * 9), rel=1e-4)


@pytest.mark.parametrize("downscale", [2, 4])
def test_regions_of_style_are_the_labels_but_background_and_face(downscale: int) -> None:
    for label in range(10):
        labels = torch.zeros(1, 8, 4, dtype=torch.long)
        labels[:, :4] = label
        masks = region_masks(one_hot(labels), downscale)
        assert masks.shape == (1, 8, 8 // downscale, 4 // downscale)
        expected = torch.zeros_like(masks)
        if label not in (Label.BACKGROUND, Label.FACE):
            expected[:, STYLE_LABELS.index(label), : 4 // downscale] = 1
        assert torch.equal(masks, expected)


def test_means_of_squares_and_of_distances() -> None:
    one, other = torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[0.0, -1.0]]]])
    assert pose_loss(one, other).item() == content_loss(one, other).item() == (1 + 9) / 2
    assert reconstruction_loss(one, other).item() == (1 + 3) / 2
    assert warp_l1_loss(one, other, torch.tensor([[[[1.0, 0.15]]]])).item() == pytest.approx((1 + 0.45) / 2)


def test_soft_iou_counts_labels_and_over_the_batch_areas() -> None:
    """One map found in full, and one of a single pixel of which nothing is."""
    labels = torch.zeros(2, 4, 4, dtype=torch.long)
    labels[0, :2], labels[1, 0, 0] = 3, 3
    found = torch.nn.functional.one_hot(labels, 10).permute(0, 3, 1, 2).float() * 100
    found[1] = 0
    found[1, 0] = 100
    apart = ((1 - 15 / 16) + 1) / 2 / 2  # a mean over the labels, then over the maps, of which the first has no error
    assert soft_iou_loss(found, labels).item() == pytest.approx(apart, abs=1e-5)
    at_once = ((1 - 23 / 24) + (1 - 8 / 9)) / 2
    assert soft_iou_loss(found, labels, over_batch=True).item() == pytest.approx(at_once, abs=1e-5)
    labels[:] = IGNORED_LABEL
    assert soft_iou_loss(found, labels, over_batch=True).item() == 0


def test_gradients_of_gram_matrices() -> None:
    generator = torch.Generator().manual_seed(4)
    features = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(2, 8, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 8, 3, 3, generator=generator)
    masked = features[:, None].flatten(3) * masks[:, :, None].flatten(3)
    expected = torch.autograd.grad(((masked @ masked.mT) * weights).sum() / 20, (features, masks))
    found = torch.autograd.grad((gram_matrices(features, masks) * weights).sum(), (features, masks))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("by_area", [False, True])
def test_gram_matrices_of_large_pictures_in_fp16(by_area: bool) -> None:
    """Features of VGG-16 at 128×128 are up to 35; the sums of their products are beyond what fp16 holds."""
    features = 20 * torch.rand(1, 4, 128, 128, generator=torch.Generator().manual_seed(0))
    masks = torch.ones(1, 8, 128, 128)
    found, gradients = [], []
    for dtype in (torch.float16, torch.float32):
        given = features.to(dtype).requires_grad_()
        gram = gram_matrices(given, masks.to(dtype), by_area)
        found.append(gram)
        gradients.append(torch.autograd.grad(gram.sum(), given)[0].float())
    torch.testing.assert_close(found[0], found[1], rtol=1e-2, atol=0)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=2e-2, atol=0)
