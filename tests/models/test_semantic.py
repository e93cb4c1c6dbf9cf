from __future__ import annotations

import pytest
import torch

from pgen.models.inputs import Transfer, predict_layout
from pgen.models.semantic import SemanticConfig, SemanticGenerator, grown
from tests.models.people import standing, views

WIDTHS = (4, 8, 8, 8)


@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
@pytest.mark.parametrize("warped", [0, 2, 4])
def test_logits_at_the_frame_s_size_and_gradients_everywhere(size: tuple[int, int], warped: int) -> None:
    model = SemanticGenerator(SemanticConfig(WIDTHS, warped_levels=warped))
    source = views(size)
    logits = predict_layout(model, source, Transfer(source.poses, source.poses.flip(0), size))
    assert logits.shape == (2, 10, *size)
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_source_map_and_both_poses_matter() -> None:
    torch.manual_seed(0)
    model = SemanticGenerator(SemanticConfig(WIDTHS)).eval()
    source = views(count=1)
    there = Transfer(source.poses, standing(move=(4, 0)), source.size)
    with torch.no_grad():
        first = predict_layout(model, source, there)
        moved = predict_layout(model, source, Transfer(source.poses, standing(move=(8, 0)), source.size))
        source.labels = source.labels.flip(2)
        flipped = predict_layout(model, source, there)
        source.images = -source.images
        repainted = predict_layout(model, source, there)
    assert not torch.allclose(first, moved)
    assert not torch.allclose(first, flipped)
    assert torch.equal(flipped, repainted)  # H_S sees no colours


def test_eval_has_no_dropout_and_samples_do_not_mix() -> None:
    model = SemanticGenerator(SemanticConfig(WIDTHS, warped_levels=2)).eval()
    source = views()
    with torch.no_grad():
        both = predict_layout(model, source, Transfer(source.poses, source.poses.flip(0), source.size))
        source.images, source.labels, poses = source.images[:1], source.labels[:1], source.poses
        alone = predict_layout(model, source, Transfer(poses[:1], poses[1:], source.size))
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=1e-5)


def test_too_few_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        SemanticConfig(widths=(4,))


@pytest.mark.parametrize("fold", [1, 2])
def test_grown_predicts_the_same_twice_as_large(fold: int) -> None:
    torch.manual_seed(0)
    small = SemanticGenerator(SemanticConfig(WIDTHS, 2, 0.0, fold, guide=True, limbs=True)).eval()
    large = grown(small)
    assert large.config == SemanticConfig(WIDTHS, 2, 0.0, 2 * fold, guide=True, limbs=True)
    wide = views((128, 64))
    wide.labels = wide.labels[:, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    half = wide.half()
    with torch.no_grad():
        expected = predict_layout(small, half, Transfer(half.poses, half.poses.flip(0), half.size))
        found = predict_layout(large, wide, Transfer(wide.poses, wide.poses.flip(0), wide.size))
    enlarged = expected.repeat_interleave(2, 2).repeat_interleave(2, 3)
    # Pose masks are drawn anew in the larger frame, and the guide samples otherwise: nearly the same.
    assert (found - enlarged).abs().mean() < 0.1 * expected.std()
