"""Images a second of the synthetic people on one core.

Run: ``OMP_NUM_THREADS=1 pytest -m benchmark -s tests/benchmarks/bench_people.py``
"""

from __future__ import annotations

import time

import pytest

from pgen.data.readers.synthetic import synthetic_example


@pytest.mark.benchmark
def test_images_a_second() -> None:
    synthetic_example(0, 0, 0)
    print("\n   size      style     images/s")
    rates = {}
    for size, style in (((256, 256), "fashion"), ((128, 128), "fashion"), ((128, 64), "market"), ((256, 256), "mixed")):
        # Two views a person, as few as training ever asks for: dressing a person is not hidden by many views.
        numbers = [(person, view) for person in range(1, 21) for view in range(2)]
        begin = time.perf_counter()
        for person, view in numbers:
            synthetic_example(0, person, view, size, style)
        rates[size, style] = len(numbers) / (time.perf_counter() - begin)
        print(f"{size[0]:4d} x {size[1]:<4d} {style:>9} {rates[size, style]:9.1f}")
    assert rates[(256, 256), "fashion"] > 8
