"""With how many bits networks compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgen.errors import InputError

if TYPE_CHECKING:
    import torch

#: What may be asked for.
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type in which networks multiply on ``device``: "fp32", "bf16", "fp16", or "auto".

    That is bf16 where the device multiplies it itself, as GPUs since Ampere do, and processors with AMX or AVX-512
    BF16; elsewhere, where it would be slower, fp32.

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
        return torch.bfloat16 if has_native_bf16(device) else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def has_native_bf16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bf16 itself, instead of by way of float32."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    # What torch knows of the processor has no public name yet.
    asked = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(ask() for ask in asked if ask is not None)
