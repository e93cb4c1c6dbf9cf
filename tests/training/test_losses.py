"""The losses against golden vectors and hand-worked cases."""

from __future__ import annotations

import pytest
import torch

from pgen.models.inputs import one_hot
from pgen.training import losses


def test_golden_style_terms(golden) -> None:
    data = golden("style_loss")
    masks_a, masks_b = (losses.region_masks(one_hot(torch.from_numpy(data[f"labels_{x}"]).long())) for x in ("a", "b"))
    real_a, fake_b, fake_a = (torch.from_numpy(data[f"feat_{x}"]).float() for x in ("real_a", "fake_b", "fake_a"))
    gram_real_a = losses.gram_matrices(real_a, masks_a)
    gram_fake_b = losses.gram_matrices(fake_b, masks_b)
    gram_fake_a = losses.gram_matrices(fake_a, masks_a)
    shared = losses.shared_regions(masks_a, masks_b)
    torch.testing.assert_close(gram_real_a, torch.from_numpy(data["gram_real_a"]), rtol=1e-5, atol=1e-6)
    assert torch.equal(shared, torch.from_numpy(data["visibility"]).float())
    for loss, name in (
        (losses.style_loss(gram_fake_b, gram_real_a, shared), "style_real_a_fake_b"),
        (losses.style_loss(gram_fake_a, gram_fake_b, shared), "style_fake_a_fake_b"),
    ):
        assert loss.item() == pytest.approx(float(data[name]), rel=1e-5)


def test_layout_loss_counts_the_body_twice() -> None:
    logits = torch.zeros(1, 10, 2, 2)
    labels = torch.zeros(1, 2, 2, dtype=torch.long)
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert losses.layout_loss(logits, labels, mask).item() == pytest.approx(1.5 * torch.tensor(10.0).log().item())


def test_gan_losses_vanish_at_their_targets() -> None:
    assert losses.real_loss(torch.ones(1, 1, 2, 2)) == 0
    assert losses.fake_loss(torch.zeros(1, 1, 2, 2)) == 0
    assert losses.real_loss(torch.zeros(1, 1, 2, 2)) == 1
    assert losses.fake_loss(torch.full((1, 1, 2, 2), 0.5)) == 0.25


def test_gram_by_area_does_not_depend_on_a_region_s_size() -> None:
    features = torch.ones(1, 3, 16, 16)
    small, large = torch.zeros(1, 8, 16, 16), torch.zeros(1, 8, 16, 16)
    small[:, 0, :8], large[:, 0] = 1, 1
    small_gram, large_gram = (losses.gram_matrices(features, m, by_area=True)[0, 0, 0, 0] for m in (small, large))
    assert small_gram.item() == pytest.approx(large_gram.item(), rel=0.05)
    assert losses.gram_matrices(features, small)[0, 0, 0, 0].item() == pytest.approx(0.5)


def test_paste_loss_ignores_what_the_source_does_not_show() -> None:
    generated, pasted = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    confidence = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert losses.paste_loss(generated, pasted, confidence).item() == pytest.approx(0.25)
