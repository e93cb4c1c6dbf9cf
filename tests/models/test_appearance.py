"""H_A against the golden vectors, and its shapes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import LABEL_COUNT
from pgen.body.warp import plan_warp
from pgen.models.appearance import (
    AppearanceConfig,
    AppearanceInput,
    OneLevelAppearanceGenerator,
    TwoLevelAppearanceGenerator,
    build_appearance_generator,
)
from pgen.models.published_weights import rename_published
from tests.models.definition import generator_by_definition, golden_geometry, make_plain


def golden_inputs(golden, size: int, levels: int) -> AppearanceInput:
    """The golden input at ``size``, in our channel order, with the warps of ``levels`` levels."""
    x = torch.from_numpy(golden("appearance_generator")["input_16x16"]).float()
    x = F.interpolate(x, size=(size, size), mode="nearest")
    image, source_parsing, source_pose, target_parsing, target_pose = x.split([3, 9, 18, 9, 18], 1)
    affines, masks = golden_geometry(golden("body"), size)
    return AppearanceInput(
        torch.cat([image, source_parsing, source_pose], 1),
        torch.cat([target_pose, target_parsing], 1),
        [plan_warp(affines, masks, (size >> k, size >> k)) for k in range(levels)],
    )


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_golden_appearance_generator(golden, alpha: float) -> None:
    data = golden("appearance_generator")
    published = {
        name.removeprefix("state_dict/"): torch.from_numpy(data[name]).float()
        for name in data.files
        if name.startswith("state_dict/")
    }
    model = TwoLevelAppearanceGenerator(AppearanceConfig((4, 8, 16, 32, 32, 32), (2, 4))).eval()
    model.fade_in = alpha
    model.load_state_dict(rename_published(published))
    with torch.no_grad():
        image = model(golden_inputs(golden, 256, 1), golden_inputs(golden, 128, 4))
    means = torch.from_numpy(data[f"output_alpha_{alpha}_mean4"])
    crop = torch.from_numpy(data[f"output_alpha_{alpha}_crop"])
    torch.testing.assert_close(F.avg_pool2d(image, 4), means, atol=1e-4, rtol=0)
    torch.testing.assert_close(image[..., 96:160, 96:160], crop, atol=1e-4, rtol=0)


@torch.no_grad()
def test_two_levels_are_those_of_the_definition(golden) -> None:
    torch.manual_seed(0)
    model = TwoLevelAppearanceGenerator(AppearanceConfig((4, 8, 8, 8, 8), (2, 4))).eval()
    full, half = golden_inputs(golden, 256, 1), golden_inputs(golden, 128, 4)
    geometries = [golden_geometry(golden("body"), size) for size in (256, 128)]
    inputs = [(one.source, one.target) for one in (full, half)]
    expected = generator_by_definition(make_plain(model), *inputs, *geometries)
    torch.testing.assert_close(model(full, half), expected, atol=1e-4, rtol=0)


def random_input(size: tuple[int, int], levels: int, guide: int = 0, parsing: bool = True) -> AppearanceInput:
    labels = LABEL_COUNT - 1 if parsing else 0
    affines = torch.eye(2, 3).repeat(2, 10, 1, 1)
    masks = torch.rand(2, 10, *size) < 0.1
    return AppearanceInput(
        torch.randn(2, 21 + labels, *size),
        torch.randn(2, 18 + labels + guide, *size),
        [plan_warp(affines, masks, (size[0] >> k, size[1] >> k)) for k in range(levels)],
    )


@pytest.mark.parametrize("size", [(64, 32), (64, 64)])
@pytest.mark.parametrize("parsing", [True, False])
def test_one_level_keeps_the_frame(size: tuple[int, int], parsing: bool) -> None:
    config = AppearanceConfig((4, 8, 8, 8, 8, 8), local_widths=(), guide_channels=4, parsing=parsing)
    model = build_appearance_generator(config)
    assert isinstance(model, OneLevelAppearanceGenerator)
    image = model(random_input(size, 4, guide=4, parsing=parsing))
    assert image.shape == (2, 3, *size)
    assert image.abs().max() <= 1
    image.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_fade_in_uses_the_local_network_only_above_zero() -> None:
    sizes = AppearanceConfig((4, 8, 8, 8, 8, 8), local_widths=(2, 4), dropout=0.0)
    model = TwoLevelAppearanceGenerator(sizes)
    model.fade_in = 0.0
    full, half = random_input((128, 64), 1), random_input((64, 32), 4)
    model(full, half).sum().backward()
    assert model.to_image.weight.grad is None
    model.fade_in = 0.5
    model(full, half).sum().backward()
    assert model.to_image.weight.grad is not None


@pytest.mark.parametrize("local", [(), (2, 4)])
def test_blend_keeps_as_much_of_the_guide_as_the_last_channel_says(local: tuple[int, ...]) -> None:
    model = build_appearance_generator(AppearanceConfig((4, 8, 8, 8), local, 2, guide_channels=4, blend=True)).eval()
    size = (32, 64)
    inputs = random_input(size, 2, guide=4)
    inputs.guide = torch.rand(2, 3, *size)

    def image() -> Tensor:
        if local:
            return model(inputs, random_input((16, 32), 2, guide=4))
        return model(inputs)

    with torch.no_grad():
        model.to_image.bias[3] = 50.0
        torch.testing.assert_close(image(), inputs.guide)
        model.to_image.bias[3] = -50.0
        painted = image()
        inputs.guide = -inputs.guide
        torch.testing.assert_close(image(), painted)
    assert not torch.allclose(painted, inputs.guide)


def test_blend_needs_a_guide() -> None:
    with pytest.raises(ValueError, match="guide_channels = 4"):
        AppearanceConfig(blend=True)
