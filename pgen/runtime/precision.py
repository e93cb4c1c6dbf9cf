"""With how many bits networks compute."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

from pgen.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import nn

_Network = TypeVar("_Network", bound="nn.Module")

#: What may be asked for.
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type in which networks multiply on ``device``: "fp32", "bf16", "fp16", or "auto".

    That is bf16 where the device is made for it, as GPUs since Ampere are, and processors with AMX; elsewhere, where it
    would be no faster, fp32. (On a processor with AVX-512 BF16 alone, convolutions in bf16 took twice as long.)

    Raises:
        InputError: an unknown name, or one that the device cannot compute in.
    """
    import torch

    if name not in PRECISIONS:
        raise InputError(f"no such precision: {name}; choose one of {', '.join(PRECISIONS)}", option="precision")
    if name == "fp16" and device.type == "cpu":
        raise InputError("the precision fp16 needs a GPU; on the CPU take bf16", option="precision")
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError("this GPU has no arithmetic of the precision bf16; take fp16", option="precision")
    if name == "auto":
        return torch.bfloat16 if has_fast_bf16(device) else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def has_fast_bf16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bf16 faster than float32."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    ask = getattr(torch.cpu, "_is_amx_tile_supported", None)  # what torch knows of it has no public name yet
    return ask is not None and bool(ask())


def cast_products(network: _Network, dtype: torch.dtype) -> _Network:
    """A copy of ``network`` whose convolutions and products have weights of ``dtype``, for use under autocast to it.

    Autocast would cast them at each call; all else, such as norms, stays as it is.
    """
    import torch

    found = copy.deepcopy(network)
    for module in found.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear):
            module.to(dtype)
    return found
