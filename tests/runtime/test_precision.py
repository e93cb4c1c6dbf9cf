"""With how many bits networks compute."""

from __future__ import annotations

import pytest
import torch

from pgen.errors import InputError
from pgen.runtime.precision import choose_precision

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
