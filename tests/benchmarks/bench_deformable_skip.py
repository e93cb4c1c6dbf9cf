"""Deformable skip, forward and backward: the planned form against a plain implementation of the definition.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_deformable_skip.py``
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch

from pgen.body.warp import deformable_skip, plan_warp
from tests.models.definition import deformable_skip_by_definition, golden_geometry


def median_seconds(work: Callable[[], object], runs: int = 7) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[runs // 2]


@pytest.mark.benchmark
def test_bench_deformable_skip(golden) -> None:
    affines, masks = golden_geometry(golden("body"), 128)
    affines, masks = affines.repeat(2, 1, 1, 1), masks.repeat(2, 1, 1, 1)
    print("\n(4, 64, 128, 128), forward + backward, median of 7, ms")
    for layout in (torch.contiguous_format, torch.channels_last):
        feature = torch.randn(4, 64, 128, 128).to(memory_format=layout).requires_grad_()
        gradient = torch.randn(4, 64, 128, 128).to(memory_format=layout)

        def definition(feature: torch.Tensor = feature, gradient: torch.Tensor = gradient) -> None:
            deformable_skip_by_definition(feature, affines, masks).backward(gradient)

        def planned(feature: torch.Tensor = feature, gradient: torch.Tensor = gradient) -> None:
            deformable_skip(feature, plan_warp(affines, masks, (128, 128))).backward(gradient)

        slow, fast = median_seconds(definition), median_seconds(planned)
        print(
            f"{layout!s:26} definition {1e3 * slow:7.1f}   planned (plan included) {1e3 * fast:6.1f}"
            f"   ratio {slow / fast:5.1f}"
        )
