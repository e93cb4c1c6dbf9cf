"""How long ``pgen --help`` takes, against importing typer and rich; both with the start of the interpreter.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_start.py``
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest


def best_seconds(program: str, *arguments: str, runs: int = 15) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.benchmark
def test_bench_start() -> None:
    reference = best_seconds("import typer, rich")
    print(f"\nbest of 15, ms\nimport typer, rich     {1e3 * reference:6.1f}")
    program = "import sys; from pgen.cli.main import main; sys.exit(main())"
    for flag in ("--help", "--version"):
        seconds = best_seconds(program, flag)
        print(f"pgen {flag:17} {1e3 * seconds:6.1f}   ratio {seconds / reference:4.2f}")
        assert seconds < 2.5 * reference
        assert seconds < 0.5
