from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.models import strided_convs
from pgen.models.layers import join_active
from pgen.models.strided_convs import DoublingConv, HalvingConv


def with_gradients(layer: torch.nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = x.clone().requires_grad_(True)
    found = layer(x)
    assert isinstance(layer.weight, Tensor)
    return found, *torch.autograd.grad(found.float().square().sum(), (x, layer.weight))


@pytest.mark.parametrize("size", [(4, 4), (6, 10)])
@pytest.mark.parametrize("layer", [HalvingConv, DoublingConv])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_are_the_convolutions(
    layer: type[HalvingConv | DoublingConv], size: tuple[int, int], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = layer(6, 8).to(memory_format=torch.channels_last)
    x = torch.randn(3, 6, *size)
    expected = with_gradients(network, x)
    monkeypatch.setattr(strided_convs, "_MANY", 1)
    with monkeypatch.context() as patch:  # neither of the library's
        for name in ("conv2d", "conv_transpose2d"):
            patch.setattr(F, name, None)
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            found = with_gradients(network, x)
    assert found[0].dtype == dtype
    share = 1e-5 if dtype == torch.float32 else 0.02
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.float(), other, rtol=0, atol=share * float(other.detach().abs().max()))


def test_many_pixels_are_left_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strided_convs, "_MANY", 1)
    monkeypatch.setattr(F, "conv2d", None)
    layer = HalvingConv(2, 2)
    assert layer(torch.randn(2, 2, 32, 32)).shape == (2, 2, 16, 16)
    with pytest.raises(TypeError):
        layer(torch.randn(3, 2, 32, 32))


@pytest.mark.parametrize("dtypes", [(torch.float32,) * 3, (torch.bfloat16, torch.float32, torch.bfloat16)])
def test_parts_are_joined_alike_with_and_without_gradients(dtypes: tuple[torch.dtype, ...]) -> None:
    parts = [torch.randn(1, width, 4, 6).to(dtype) for width, dtype in zip((3, 1, 2), dtypes, strict=True)]
    parts[1] = parts[1].expand(2, -1, -1, -1)
    parts[0], parts[2] = (part.repeat(2, 1, 1, 1) for part in (parts[0], parts[2]))
    expected = join_active(parts)
    with torch.inference_mode():
        found = join_active(parts)
    assert found.dtype == expected.dtype
    assert torch.equal(found, torch.cat(parts, 1).clamp_min(0))
    assert torch.equal(found, expected)
