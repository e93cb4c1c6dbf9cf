from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pgen.body.batch import PersonBatch, flip_persons
from pgen.body.joints import BONES, FLIP_JOINTS, Joint
from pgen.body.labels import FLIP_LABELS
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.transfer import Transfer
from pgen.models.semantic import SemanticConfig, SemanticGenerator, SemanticInput, predict_parsing, upscale_semantic
from tests.models.people import standing, views

WIDTHS = (4, 8, 8, 8)


@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
@pytest.mark.parametrize("warped", [0, 2, 4])
def test_logits_at_the_frame_s_size_and_gradients_everywhere(size: tuple[int, int], warped: int) -> None:
    model = SemanticGenerator(SemanticConfig(WIDTHS, warped_levels=warped))
    source = views(size)
    logits = predict_parsing(model, source, Transfer(source.poses, source.poses.flip(0), size))
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
        first = predict_parsing(model, source, there)
        moved = predict_parsing(model, source, Transfer(source.poses, standing(move=(8, 0)), source.size))
        source.labels = source.labels.flip(2)
        flipped = predict_parsing(model, source, there)
        source.images = -source.images
        repainted = predict_parsing(model, source, there)
    assert not torch.allclose(first, moved)
    assert not torch.allclose(first, flipped)
    assert torch.equal(flipped, repainted)  # H_S sees no colors


def test_eval_has_no_dropout_and_samples_do_not_mix() -> None:
    model = SemanticGenerator(SemanticConfig(WIDTHS, warped_levels=2)).eval()
    source = views()
    with torch.no_grad():
        both = predict_parsing(model, source, Transfer(source.poses, source.poses.flip(0), source.size))
        poses = source.poses
        alone = predict_parsing(model, source[:1], Transfer(poses[:1], poses[1:], source.size))
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=1e-5)


def test_too_few_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        SemanticConfig(widths=(4,))


def inputs_of(config: SemanticConfig, source: PersonBatch, transfer: Transfer) -> SemanticInput:
    """What H_S is shown."""
    seen: list[SemanticInput] = []
    model = SemanticGenerator(config).eval()
    model.register_forward_pre_hook(lambda _, given: seen.extend(given))
    with torch.no_grad():
        predict_parsing(model, source, transfer)
    return seen[0]


SIZES = [(64, 64), (64, 32), (32, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize(("guide", "limbs", "warped"), [(True, True, 2), (True, False, 0), (False, True, 0)])
def test_blocks_warped_parsing_and_limb_maps(
    size: tuple[int, int], block: int, guide: bool, limbs: bool, warped: int
) -> None:
    torch.manual_seed(0)
    config = SemanticConfig((6, 8, 8), warped, 0.0, block, guide, limbs)
    model = SemanticGenerator(config)
    source = views(size)
    transfer = Transfer(source.poses, source.poses.flip(0), size)
    logits = predict_parsing(model, source, transfer)
    assert logits.shape == (2, 10, *size)
    logits.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    seen = inputs_of(config, source, transfer)
    small = (size[0] // block, size[1] // block)
    assert seen.source.shape == (2, 10 * block**2 + 19, *small)
    assert seen.target.shape == (2, 19 + 10 * guide + 17 * limbs, *small)
    assert [warp.size for warp in seen.warps[:warped]] == [(small[0] >> k, small[1] >> k) for k in range(warped)]
    stem = model.target_encoder.stem.weight.grad
    assert stem is not None
    shown = seen.target.flatten(2).any(2).any(0)  # no joint out of the frame, no label that nobody wears
    assert torch.equal(stem.flatten(2).any(2).any(0), shown)
    assert shown.sum() > len(shown) / 2
    assert shown[-1] or not limbs


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("block", [1, 2, 4])
def test_space_to_depth_loses_nothing_and_puts_everything_in_its_place(size: tuple[int, int], block: int) -> None:
    source = views(size)
    seen = inputs_of(
        SemanticConfig((4, 4), space_to_depth=block), source, Transfer(source.poses, source.poses.flip(0), size)
    )
    assert torch.equal(F.pixel_shuffle(seen.source[:, : 10 * block**2], block), source.one_hot())
    for maps, poses in ((seen.source[:, 10 * block**2 :], source.poses), (seen.target, source.poses.flip(0))):
        peaks = maps[:, :18].flatten(2).argmax(2)
        columns, rows = peaks % (size[1] // block), peaks // (size[1] // block)
        expected = ((poses + 0.5) / block - 0.5).round()
        inside = ((poses > 0) & (poses < torch.tensor([size[1], size[0]]) - block)).all(2)
        assert inside.sum() > 15
        assert ((torch.stack([columns, rows], 2) - expected).abs() <= 1)[inside].all()
        mask = pose_masks(poses, size, pose_mask_radius(size))
        assert torch.equal(maps[:, 18:19], F.avg_pool2d(mask, block))


@pytest.mark.parametrize("size", [(64, 64), (64, 48), (72, 96)])
@pytest.mark.parametrize("block", [1, 2, 4])
def test_the_warped_parsing_is_the_source_s_map_in_the_target_pose(size: tuple[int, int], block: int) -> None:
    config = SemanticConfig((4, 4), space_to_depth=block, warped_parsing=True)
    source = views(size, count=1)
    same = inputs_of(config, source, Transfer(source.poses, source.poses, size)).target[:, 19:]
    shares = F.avg_pool2d(source.one_hot(), block)
    torch.testing.assert_close(same, shares, atol=1e-4, rtol=0)
    x, y = block, -2 * block
    moved = Transfer(source.poses, source.poses + torch.tensor([x, y]), size)
    guide = inputs_of(config, source, moved).target[:, 19:]
    there = (slice(None), slice(None), slice(2, -4), slice(2, -2))
    expected = shares.roll((-2, 1), (2, 3))
    assert (guide - expected)[there].abs().mean() < 0.01 < (shares - expected)[there].abs().mean()


@pytest.mark.parametrize("size", [(64, 64), (64, 48)])
@pytest.mark.parametrize("block", [1, 2, 4])
def test_a_mirrored_person_gives_mirrored_inputs(size: tuple[int, int], block: int) -> None:
    config = SemanticConfig((4, 4), space_to_depth=block, warped_parsing=True, limb_maps=True)
    source = views(size, count=1)
    target = PersonBatch(source.images, source.labels, source.poses + 3 * torch.randn(1, 18, 2))
    always = torch.ones(1, dtype=torch.bool)
    plain = inputs_of(config, source, Transfer(source.poses, target.poses, size))
    other_source, other_target = flip_persons(source, always), flip_persons(target, always)
    flipped = inputs_of(config, other_source, Transfer(other_source.poses, other_target.poses, size))
    bones = [BONES.index((Joint(FLIP_JOINTS[a]), Joint(FLIP_JOINTS[b]))) for a, b in BONES]
    assert bones != sorted(bones)
    heat, mask, guide, limbs = flipped.target.split([18, 1, 10, 17], 1)
    expected = torch.cat([heat[:, FLIP_JOINTS], mask, guide[:, FLIP_LABELS], limbs[:, bones]], 1).flip(3)
    exact = [k for k in range(46) if not 19 <= k < 29]
    torch.testing.assert_close(plain.target[:, exact], expected[:, exact], atol=1e-4, rtol=0)
    assert (plain.target[:, 19:29] - expected[:, 19:29]).abs().mean() < 0.02  # warps lean on the first pixel


@pytest.mark.parametrize("block", [1, 2])
def test_grown_predicts_the_same_twice_as_large(block: int) -> None:
    torch.manual_seed(0)
    small = SemanticGenerator(SemanticConfig(WIDTHS, 2, 0.0, block, warped_parsing=True, limb_maps=True)).eval()
    large = upscale_semantic(small)
    assert large.config == SemanticConfig(WIDTHS, 2, 0.0, 2 * block, warped_parsing=True, limb_maps=True)
    wide = views((128, 64))
    wide.labels = wide.labels[:, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    half = wide.halve()
    with torch.no_grad():
        expected = predict_parsing(small, half, Transfer(half.poses, half.poses.flip(0), half.size))
        found = predict_parsing(large, wide, Transfer(wide.poses, wide.poses.flip(0), wide.size))
    enlarged = expected.repeat_interleave(2, 2).repeat_interleave(2, 3)
    # Pose masks are drawn anew in the larger frame, and the warp samples otherwise: nearly the same.
    assert (found - enlarged).abs().mean() < 0.1 * expected.std()
