from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.models.efficientnet_lite0 import STAGE_CHANNELS, STAGE_STRIDES, Lite0, fold_batch_norms
from tests.models.published_lite0 import LAST, STAGES, published


def by_the_book(state: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """The first stages with normalizations of their own, for inputs (byte − 127) / 128."""

    def normed(x: Tensor, name: str) -> Tensor:
        mean, variance, weight, bias = (
            state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, variance, weight, bias, eps=1e-3)

    def same(x: Tensor, weight: Tensor, stride: int, groups: int) -> Tensor:
        pads = [max((math.ceil(side / stride) - 1) * stride + weight.shape[2] - side, 0) for side in x.shape[2:]]
        (top, left), (bottom, right) = [p // 2 for p in pads], [p - p // 2 for p in pads]
        return F.conv2d(F.pad(x, [left, right, top, bottom]), weight, None, stride, groups=groups)

    x = F.relu6(normed(same(x, state["_conv_stem.weight"], 2, 1), "_bn0"))
    found, block = [], 0
    for expansion, _, stride, _, blocks in STAGES:
        for k in range(blocks):
            name, inner = f"_blocks.{block}.", x
            if expansion > 1:
                inner = F.relu6(normed(F.conv2d(x, state[f"{name}_expand_conv.weight"]), f"{name}_bn0"))
            depthwise = state[f"{name}_depthwise_conv.weight"]
            inner = same(inner, depthwise, stride if k == 0 else 1, len(depthwise))
            inner = F.conv2d(F.relu6(normed(inner, f"{name}_bn1")), state[f"{name}_project_conv.weight"])
            inner = normed(inner, f"{name}_bn2")
            x = x + inner if x.shape == inner.shape else inner
            block += 1
        found.append(x)
    return found


@pytest.mark.parametrize("size", [(64, 64), (46, 35)])
def test_folded_weights_do_what_the_published_ones_do(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    state = published(STAGES)
    network = Lite0(len(STAGES))
    network.load_state_dict(fold_batch_norms(state, len(STAGES)))
    pixels = torch.randint(256, (2, 3, *size)).float()
    found = network.features(pixels / 127.5 - 1)
    assert found.pooled is None
    for stage, expected in zip(found.stages, by_the_book(state, (pixels - 127) / 128), strict=True):
        torch.testing.assert_close(stage, expected, rtol=1e-3, atol=1e-3 * float(expected.std()))


def test_the_whole_network_has_pooled_features_and_classes() -> None:
    torch.manual_seed(0)
    network = Lite0()
    images = torch.rand(2, 3, 64, 96) * 2 - 1
    found = network.features(images)
    sizes = [
        (channels, 64 // stride, 96 // stride) for channels, stride in zip(STAGE_CHANNELS, STAGE_STRIDES, strict=True)
    ]
    assert [tuple(stage.shape[1:]) for stage in found.stages] == sizes
    assert found.pooled is not None
    assert found.pooled.shape == (2, 1280)
    torch.testing.assert_close(network(images), network.classifier(found.pooled))
    assert network(images).shape == (2, 1000)


def test_head_and_classifier_are_folded_with_all_stages() -> None:
    torch.manual_seed(0)
    state = published(STAGES + LAST)
    state["_conv_head.weight"] = torch.randn(1280, 320, 1, 1)
    state |= {f"_bn1.{part}": torch.rand(1280) for part in ("weight", "bias", "running_mean", "running_var")}
    state |= {"_fc.weight": torch.randn(1000, 1280), "_fc.bias": torch.randn(1000)}
    network = Lite0()
    network.load_state_dict(fold_batch_norms(state))
    last = torch.randn(1, 320, 2, 2)
    parts = (state[f"_bn1.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    expected = F.batch_norm(F.conv2d(last, state["_conv_head.weight"]), *parts, eps=1e-3)
    torch.testing.assert_close(network.head(last), expected, rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(network.classifier.bias, state["_fc.bias"])


def test_nothing_of_it_is_trained() -> None:
    assert not any(parameter.requires_grad for parameter in Lite0(2).parameters())


@pytest.mark.parametrize("stages", [0, 8])
def test_other_numbers_of_stages_are_refused(stages: int) -> None:
    with pytest.raises(ValueError, match="stages are 1 to 7"):
        Lite0(stages)


def test_without_a_head_there_are_no_classes() -> None:
    with pytest.raises(ValueError, match="last stages"):
        Lite0(1)(torch.zeros(1, 3, 32, 32))


def test_missing_weights_are_named() -> None:
    state = published(STAGES[:2])
    del state["_blocks.1._expand_conv.weight"]
    with pytest.raises(KeyError, match="_expand_conv"):
        fold_batch_norms(state, 2)
