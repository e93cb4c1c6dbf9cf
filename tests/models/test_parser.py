from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from pgen.models.parser import Parser, ParserConfig, ParserInput, draw_pose_maps
from tests.data.examples import STANDING

torch.set_num_threads(1)
POSE = torch.from_numpy(STANDING).float()[None] / 2  # of a 64 × 64 frame


def parser() -> Parser:
    torch.manual_seed(0)
    return Parser(ParserConfig((8, 8, 8), (1, 2, 2))).eval()


def inputs(**changes: torch.Tensor) -> ParserInput:
    torch.manual_seed(1)
    image, silhouette = torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 1, 64, 64)
    fields = {"images": image, "poses": POSE, "silhouettes": silhouette, "has_silhouette": torch.tensor([True])}
    return ParserInput(**fields | changes)


def test_half_the_photo_s_size() -> None:
    logits = parser()(inputs())
    assert logits.shape == (1, 10, 32, 32)
    assert logits.dtype == torch.float32


def test_each_photo_is_looked_at_by_itself() -> None:
    one, other = inputs(), inputs(images=torch.rand(1, 3, 64, 64), has_silhouette=torch.tensor([False]))
    network = parser()
    together = network(ParserInput(*(torch.cat([getattr(x, f.name) for x in (one, other, one)]) for f in fields(one))))
    torch.testing.assert_close(together[:1], network(one), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together[1:2], network(other), atol=1e-4, rtol=1e-4)


def test_training_leaves_the_trunk_as_it_is() -> None:
    network = parser().train()
    network(inputs()).square().mean().backward()
    assert all(parameter.grad is None for parameter in network.trunk.parameters())
    others = [parameter for name, parameter in network.named_parameters() if not name.startswith("trunk.")]
    assert all(parameter.grad is not None for parameter in others)


def test_everything_given_is_seen() -> None:
    network = parser()
    usual = network(inputs())
    for change in (
        {"images": torch.zeros(1, 3, 64, 64)},
        {"poses": POSE + 9},
        {"silhouettes": torch.zeros(1, 1, 64, 64)},
        {"has_silhouette": torch.tensor([False])},
    ):
        assert not torch.allclose(network(inputs(**change)), usual, atol=1e-4)


def test_a_silhouette_that_is_absent_says_nothing() -> None:
    """And differs from one that is empty."""
    absent, empty = torch.tensor([False]), torch.zeros(1, 1, 64, 64)
    without = parser()(inputs(has_silhouette=absent))
    torch.testing.assert_close(parser()(inputs(has_silhouette=absent, silhouettes=empty)), without)
    assert not torch.allclose(parser()(inputs(silhouettes=empty)), without, atol=1e-4)


def test_missing_joints_are_finite() -> None:
    nobody = torch.full((1, 18, 2), torch.nan)
    assert parser()(inputs(poses=nobody)).isfinite().all()
    assert (draw_pose_maps(nobody, (64, 64), 4) == 0).all()


def test_pose_maps_lie_on_the_joints() -> None:
    maps = draw_pose_maps(POSE, (64, 64), 4)
    assert maps.shape == (1, 35, 16, 16)
    for joint in (2, 5, 8):
        at = maps[0, joint].flatten().argmax()
        x, y = (at % 16) * 4 + 1.5, (at // 16) * 4 + 1.5
        assert (torch.stack([x, y]) - POSE[0, joint]).abs().max() <= 2.01


@pytest.mark.parametrize("bad", [{"widths": (8,)}, {"widths": (8, 8, 0)}, {"depths": (1, 1)}])
def test_sizes_that_cannot_be(bad: dict) -> None:
    with pytest.raises(ValueError):
        ParserConfig(**bad)
