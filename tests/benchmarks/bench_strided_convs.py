"""Strided convolutions as products of matrices against the library's, forward, and forward and backward.

Of each (direction, batch, channels, side, channels): milliseconds of both, in fp32 and bf16. Where ``chosen`` is yes,
networks take the product, also for gradients.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_strided_convs.py``
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.models.strided_convs import _FEW, _MANY, double, halve
from tests.benchmarks.rates import alternate

#: Of the paper's generator at 256×256, and of the bundled one in training.
SHAPES = (
    ("halve", 1, 512, 8, 512),
    ("halve", 1, 512, 16, 512),
    ("halve", 1, 256, 32, 512),
    ("halve", 4, 512, 16, 512),
    ("double", 1, 1024, 4, 512),
    ("double", 1, 1536, 8, 512),
    ("double", 1, 1536, 16, 512),
    ("double", 1, 1024, 32, 256),
    ("double", 2, 1536, 16, 512),
    ("double", 4, 1536, 16, 512),
    ("double", 8, 384, 8, 128),
)


def find_gradients(form: Callable[[], Tensor], of: tuple[Tensor, Tensor], gradient: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(form(), of, gradient)


@pytest.mark.benchmark
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bench_strided_convs(dtype: torch.dtype) -> None:
    print(
        f"\n{dtype}, {torch.get_num_threads()} threads, ms: library, product; with gradients: library, product; chosen"
    )
    for direction, batch, channels, side, width in SHAPES:
        shape = (width, channels, 4, 4) if direction == "halve" else (channels, width, 4, 4)
        weight = (torch.randn(shape) / channels**0.5).to(dtype, memory_format=torch.channels_last).requires_grad_()
        x = torch.randn(batch, channels, side, side).to(dtype, memory_format=torch.channels_last).requires_grad_()
        library = F.conv2d if direction == "halve" else F.conv_transpose2d
        product = halve if direction == "halve" else double
        forms = [partial(library, x, weight, stride=2, padding=1), partial(product, x, weight)]
        with torch.inference_mode():
            forward = alternate(*forms, 7)
        gradient = torch.randn_like(forms[0]())
        both = alternate(*(partial(find_gradients, form, (x, weight), gradient) for form in forms), 5)
        pixels = batch * side**2 // (4 if direction == "halve" else 1)
        chosen = "yes" if pixels <= _FEW and weight.numel() >= _MANY else "no"
        times = " ".join(f"{1000 * seconds:8.2f}" for seconds in (*forward, *both))
        print(f"{direction:7} {batch} {channels:5} {side:3} {width:4} {times}   {chosen}")
