from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pgen.body.batch import PersonBatch, downscale_poses, one_hot
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.body.transfer import Transfer
from pgen.models.appearance import AppearanceConfig, TwoLevelAppearanceGenerator, build_appearance_generator, paint
from pgen.models.semantic import SemanticConfig, SemanticGenerator, predict_parsing
from tests.models.people import views

WIDTHS = (4, 8, 8, 8)


def config(levels: int = 1, guide: int = 0, aware: int = 0, parsing: bool = True) -> AppearanceConfig:
    local = (2, 4) if levels == 2 else ()
    return AppearanceConfig(WIDTHS, local, 3, 0.0, guide, aware, parsing=parsing)


def test_one_hot() -> None:
    labels = torch.tensor([[[0, 9], [3, 3]]])
    assert one_hot(labels).shape == (1, 10, 2, 2)
    assert torch.equal(one_hot(labels).argmax(1), labels)
    assert torch.equal(one_hot(labels).sum(1), torch.ones(1, 2, 2))


def test_half_of_a_view_agrees_with_itself() -> None:
    """Pixels, labels and joints are halved about the same points."""
    whole = views()
    joints = whole.poses.round()
    whole.images = torch.zeros_like(whole.images)
    for sample in range(2):
        x, y = joints[sample, 4].long().tolist()
        whole.images[sample, :, y // 2 * 2 : y // 2 * 2 + 2, x // 2 * 2 : x // 2 * 2 + 2] = 1
    half = whole.halve()
    assert half.size == (32, 32)
    for sample in range(2):
        x, y = downscale_poses(joints)[sample, 4].round().long().tolist()
        assert half.images[sample, 0, y, x] == 1
    for label in range(1, 10):
        assert (half.labels == label).sum() * 4 == pytest.approx(int((whole.labels == label).sum()), rel=0.35)


@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize(("guide", "aware"), [(0, 0), (4, 2)])
def test_paint(size: tuple[int, int], levels: int, guide: int, aware: int) -> None:
    model = build_appearance_generator(config(levels, guide, aware))
    assert isinstance(model, TwoLevelAppearanceGenerator) == (levels == 2)
    model.fade_in = 0.5
    source = views(size)
    transfer = Transfer(source.poses, source.poses.flip(0), size)
    image = paint(model, source, transfer, source.one_hot().flip(0))
    assert image.shape == (2, 3, *size)
    assert image.abs().max() <= 1
    image.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_baseline_does_not_look_at_maps() -> None:
    model = build_appearance_generator(config(parsing=False)).eval()
    source = views()
    transfer = Transfer(source.poses, source.poses.flip(0), source.size)
    with torch.no_grad():
        image = paint(model, source, transfer, source.one_hot())
        other = PersonBatch(source.images, source.labels.flip(2), source.poses)
        assert torch.equal(paint(model, other, transfer, other.one_hot().flip(0)), image)


def test_guide_shows_the_pasted_source() -> None:
    """The same guide given or computed: the same picture; another guide: another picture."""
    model = build_appearance_generator(config(guide=4)).eval()
    source = views()
    layout = source.one_hot().flip(0)
    transfer = Transfer(source.poses, source.poses.flip(0), source.size)
    guide = transfer.paste(source.images, source.labels, layout.argmax(1))
    with torch.no_grad():
        image = paint(model, source, transfer, layout)
        assert torch.equal(paint(model, source, transfer, layout, guide), image)
        guide.image = -guide.image
        assert not torch.allclose(paint(model, source, transfer, layout, guide), image)


def test_soft_source_map_is_used() -> None:
    model = build_appearance_generator(config(levels=2)).eval()
    source = views()
    transfer = Transfer(source.poses, source.poses.flip(0), source.size)
    layout = source.one_hot()
    with torch.no_grad():
        image = paint(model, source, transfer, layout)
        torch.testing.assert_close(paint(model, source, transfer, layout, source_parsing=source.one_hot()), image)
        soft = torch.full_like(layout, 0.1)
        assert not torch.allclose(paint(model, source, transfer, layout, source_parsing=soft), image)


@pytest.mark.parametrize("levels", [1, 2])
def test_gradients_of_the_image_reach_h_s_only_through_a_soft_map(levels: int) -> None:
    torch.manual_seed(0)
    semantic = SemanticGenerator(SemanticConfig(WIDTHS, dropout=0.0))
    model = build_appearance_generator(config(levels, guide=4, aware=2))
    source = views()
    transfer = Transfer(source.poses, source.poses.flip(0), source.size)

    def gradients(layout: Tensor) -> list[Tensor | None]:
        semantic.zero_grad(set_to_none=True)
        paint(model, source, transfer, layout).square().mean().backward()
        return [parameter.grad for parameter in semantic.parameters()]

    logits = predict_parsing(semantic, source, transfer)
    through_softmax = gradients(logits.softmax(1))
    assert all(gradient is not None and gradient.isfinite().all() for gradient in through_softmax)
    assert any(gradient is not None and gradient.any() for gradient in through_softmax)
    logits = predict_parsing(semantic, source, transfer)
    assert gradients(one_hot(logits.argmax(1))) == [None] * len(through_softmax)


def test_warps_are_planned_once() -> None:
    source = views()
    transfer = Transfer(source.poses, source.poses, source.size)
    assert all(a is b for a, b in zip(transfer.warps(3), transfer.warps(3), strict=True))
    assert [warp.size for warp in transfer.warps(3)] == [(64, 64), (32, 32), (16, 16)]
    aware = transfer.label_warps(2, 1, source.labels, source.labels)
    assert aware[1] is transfer.warps(2)[1]
    assert aware[0] is not transfer.warps(1)[0]


def test_a_face_is_not_pasted_where_the_head_is_turned() -> None:
    source = views(count=2)
    aside = source.poses.clone()
    aside[1, [Joint.L_EAR, Joint.L_EYE]] = torch.nan  # the second is seen from the side
    face = source.labels == Label.FACE
    pasted = Transfer(source.poses, aside, source.size).paste(source.images, source.labels, source.labels)
    same = Transfer(source.poses, source.poses, source.size).paste(source.images, source.labels, source.labels)
    assert same.valid[:, 0][face].float().mean() > 0.5
    assert torch.equal(pasted.valid[0], same.valid[0])
    assert not pasted.valid[1, 0][face[1]].any()
    hair = source.labels[1] == Label.HAIR
    assert pasted.valid[1, 0][hair].any()
