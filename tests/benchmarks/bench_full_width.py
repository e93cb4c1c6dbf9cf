"""A training step of H_S and of H_A in the paper's sizes, two samples: fp32, bf16, and with gradient checkpointing.

Each runs in a process of its own, so that memory is its own. Seconds are of the processor, divided by the number of
threads; memory is what tensors take at the most, beyond what is there between steps: weights, their averages, Adam's.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_full_width.py``. ``PGEN_RUNS`` is how often each is run (default
3), ``PGEN_PRESET`` the preset (``deepfashion-256``).
"""

from __future__ import annotations

import os
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest

RUNS = int(os.environ.get("PGEN_RUNS", "3"))
PRESET = os.environ.get("PGEN_PRESET", "deepfashion-256")
FORMS = {"fp32": ("fp32", False), "bf16": ("bf16", False), "fp32, checkpointing": ("fp32", True)}


class Cost(NamedTuple):
    """What a step takes."""

    seconds: float
    memory: float  #: bytes at the most, beyond those between steps
    gflop: float  #: of products and convolutions
    rate: float  #: GFLOP a second of a product of matrices in that precision


def measure_step(role: str, precision: str, is_checkpointing: bool, folder: Path) -> Cost:
    from pgen.runtime.allocator import keep_freed_memory
    from pgen.training.config import load_preset
    from tests.benchmarks.bench_gpu import DTYPES, build_task, load_people, prepare_step
    from tests.benchmarks.rates import CPU, count_flops, measure_allocation, measure_product_rate, measure_seconds

    keep_freed_memory()
    settings = [f"{role}.schedule.batch=2", f"{role}.schedule.accumulate=1"]
    settings += [f"{role}.gradient_checkpointing=true"] if is_checkpointing else []
    preset = load_preset(PRESET, settings)
    people = load_people(folder, (preset.frame[0], preset.frame[1]))
    task = build_task(role, preset, people)
    rate = measure_product_rate(CPU, DTYPES[precision])
    work, _ = prepare_step(task, folder, precision)
    gflop = count_flops(work) / 1e9
    return Cost(measure_seconds(work, RUNS), measure_allocation(work, folder), gflop, rate / 1e9)


@pytest.mark.benchmark
@pytest.mark.parametrize("role", ["semantic", "appearance"])
def test_bench_full_width(role: str, tmp_path: Path) -> None:
    found = {}
    print(f"\n{PRESET}, {role}, a step of two samples")
    for name, (precision, is_checkpointing) in FORMS.items():
        (folder := tmp_path / name).mkdir()
        with get_context("spawn").Pool(1) as pool:
            found[name] = cost = pool.apply(measure_step, (role, precision, is_checkpointing, folder))
        share = cost.gflop / cost.seconds / cost.rate
        print(f"{name:22} {cost.seconds:7.2f} s {cost.memory / 2**20:7.0f} MB  {share:4.0%} of {cost.rate:.0f} GFLOP/s")
    whole, fast, small = found.values()
    print(f"bf16: {fast.seconds / whole.seconds:.2f} of fp32's time; checkpointing: {small.memory / whole.memory:.2f}")
