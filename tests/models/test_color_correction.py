"""Holding what H_A painted to its guide."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pgen.body.batch import PersonBatch
from pgen.body.labels import Label
from pgen.body.paste import Paste
from pgen.body.transfer import Transfer
from pgen.models.color_correction import _average_around, match_guide_colors
from tests.models.people import boxes, standing

SIZES = [(64, 64), (64, 32), (128, 64)]


def people(size: tuple[int, int] = (64, 64)) -> tuple[PersonBatch, Paste]:
    """Somebody in plain colors, a ripple on the top; and the paste of them where they are."""
    labels = boxes(size)
    generator = torch.Generator().manual_seed(0)
    colors = torch.rand(10, 3, generator=generator) - 0.5
    image = colors[labels].permute(0, 3, 1, 2).contiguous()
    image[:, :, labels[0] == Label.UPPER] += 0.2 * torch.randn(
        3, int((labels == Label.UPPER).sum()), generator=generator
    )
    views = PersonBatch(image, labels, standing(size))
    return views, Transfer(views.poses, views.poses, size).paste(views.images, labels, labels)


def shown(guide: Paste, valid: Tensor | bool = True) -> Paste:
    """``guide``, trusted everywhere or where it is said."""
    return Paste(guide.image, torch.ones_like(guide.valid) * valid, guide.confidence)


@pytest.mark.parametrize("size", SIZES)
def test_means_around_a_pixel_are_those_of_its_label(size: tuple[int, int]) -> None:
    """Against the definition, pixel by pixel: no other label's values count, however near."""
    labels = boxes(size)
    values = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(1))
    found = _average_around(values, labels, 2.0)  # on the full grid
    rows, columns = (axis.float() for axis in torch.meshgrid(*map(torch.arange, size), indexing="ij"))
    for y, x in ((20, size[1] // 2), (40, size[1] // 2 + 2), (1, 1)):
        near = torch.maximum((rows - y).abs(), (columns - x).abs()) <= 6
        weight = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8) * (labels[0] == labels[0, y, x]) * near
        torch.testing.assert_close(
            found[0, :, y, x], (values[0] * weight).sum((1, 2)) / weight.sum(), atol=1e-4, rtol=0
        )


@pytest.mark.parametrize("size", SIZES)
def test_a_tint_goes_and_detail_stays(size: tuple[int, int]) -> None:
    views, guide = people(size)
    upper = views.labels == Label.UPPER
    tinted = views.images + 0.3 * upper[:, None] * torch.tensor([1.0, 0.5, -1.0]).view(1, 3, 1, 1)
    held = match_guide_colors(tinted, views, shown(guide), views.labels)
    before, after = ((x - guide.image).permute(0, 2, 3, 1)[upper] for x in (tinted, held))
    assert after.mean(0).abs().max() < 0.02 < before.mean(0).abs().min()
    # The ripple of the top, which the guide has too, is still there.
    ripple = guide.image.permute(0, 2, 3, 1)[upper]
    assert torch.corrcoef(torch.stack([ripple[:, 0], held.permute(0, 2, 3, 1)[upper][:, 0]]))[0, 1] > 0.9


def test_stains_fade_where_the_source_shows_nothing() -> None:
    """Trousers are plain in the source: strong detail is allowed where the paste has pixels of it, not below."""
    views, guide = people()
    pants = (views.labels == Label.PANTS)[:, None]
    lower = torch.arange(64).view(1, 1, 64, 1) > 39
    stains = 0.3 * (-1.0) ** (torch.arange(64).view(1, 64) + torch.arange(64).view(64, 1))
    painted = guide.image + pants * stains
    held = match_guide_colors(painted, views, shown(guide, ~(lower & pants)), views.labels)
    left = (held - guide.image).abs()
    core = (slice(None), slice(None), slice(42, 45), slice(29, 36))
    above = (slice(None), slice(None), slice(33, 36), slice(29, 36))
    assert left[core].max() < 0.05
    assert left[above].min() > 0.2


def test_invented_faces_keep_their_features() -> None:
    views, guide = people()
    face = (views.labels == Label.FACE)[:, None]
    eyes = torch.zeros(1, 1, 64, 64)
    eyes[..., 9, 30:35:2] = -0.4
    held = match_guide_colors(guide.image + eyes, views, shown(guide, ~face), views.labels)
    darker = (held - guide.image)[0, :, 9, 30:35:2]
    assert darker.max() < -0.25


def test_the_background_away_from_the_figure_is_the_source_s() -> None:
    views, guide = people()
    generator = torch.Generator().manual_seed(2)
    painted = guide.image + 0.1 * torch.randn(guide.image.shape, generator=generator)
    held = match_guide_colors(painted, views, shown(guide), views.labels)
    assert (held - guide.image)[..., :10].abs().max() < 1e-3
    beside = (views.labels == Label.BACKGROUND)[0, 20, 20]
    assert beside
    assert (held - guide.image)[0, :, 20, 20].abs().max() > 1e-3  # shadows beside the figure may stay


def test_the_range_holds() -> None:
    views, guide = people()
    held = match_guide_colors(3 * views.images, views, shown(guide), views.labels)
    assert held.abs().max() <= 1
    assert held.isfinite().all()
    nobody = PersonBatch(views.images, torch.zeros_like(views.labels), views.poses)
    assert match_guide_colors(views.images, nobody, shown(guide, False), views.labels).isfinite().all()


def test_borders_are_smooth_and_only_they() -> None:
    """Of two plain labels side by side, the pixels at the border lie between their colors, the others are theirs."""
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, 8:56, 8:32], labels[:, 8:56, 32:56] = Label.UPPER, Label.PANTS
    image = torch.where(labels == Label.PANTS, 0.5, torch.where(labels == Label.UPPER, -0.5, 0.0))[:, None].repeat(
        1, 3, 1, 1
    )
    valid = torch.ones(1, 1, 64, 64)
    held = match_guide_colors(image, PersonBatch(image, labels, standing()), Paste(image, valid, valid), labels)
    row = held[0, 0, 30, 20:44]
    assert -0.5 < row[11] < -0.4
    assert 0.4 < row[12] < 0.5
    torch.testing.assert_close(row[:9], torch.full((9,), -0.5), atol=1e-3, rtol=0)
    torch.testing.assert_close(row[15:], torch.full((9,), 0.5), atol=1e-3, rtol=0)


def test_gradients_pass() -> None:
    """Plain pictures, too, which have no detail at all."""
    views, guide = people()
    for image in (views.images, torch.zeros_like(views.images)):
        image = image.clone().requires_grad_()
        match_guide_colors(image, views, shown(guide, False), views.labels).square().sum().backward()
        assert image.grad is not None
        assert image.grad.isfinite().all()
        assert image.grad.any()
