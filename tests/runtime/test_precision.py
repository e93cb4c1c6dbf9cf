"""With how many bits networks compute."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pgen.errors import InputError
from pgen.runtime.precision import cast_products, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has_amx", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bf16_where_the_processor_is_made_for_it(
    has_amx: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx, raising=False)
    assert choose_precision("auto", CPU) == expected
    assert choose_precision("bf16", CPU) == torch.bfloat16
    assert choose_precision("fp32", CPU) == torch.float32


@pytest.mark.parametrize(("name", "message"), [("fp8", "choose one of auto"), ("fp16", "fp16 needs a GPU")])
def test_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        choose_precision(name, CPU)
    assert raised.value.option == "precision"


def test_weights_that_are_cast_once_give_what_autocast_gives() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.GroupNorm(1, 8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2),
        nn.Flatten(),
        nn.Linear(1296, 2),
    )
    found = cast_products(network, torch.bfloat16)
    assert [parameter.dtype for parameter in network.parameters()] == [torch.float32] * 8
    kinds = {name.partition(".")[0]: value.dtype for name, value in found.state_dict().items()}
    assert kinds == {"0": torch.bfloat16, "1": torch.float32, "3": torch.bfloat16, "5": torch.bfloat16}
    image = torch.randn(2, 3, 10, 10)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(found(image), network(image))
