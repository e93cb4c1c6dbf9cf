"""Pairs a second of ``pgen evaluate`` on results in files, and the memory it takes, at two sizes of list; and again
from the cache.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_evaluate.py``; PGEN_BENCH_PAIRS="1000 8570" chooses the sizes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks.bench_prepare import PROGRAM
from tests.models.pictures import pictures


def write_pairs(root: Path, count: int) -> None:
    """Results and true photos of 256×256, no two the same."""
    generated, target = pictures(16, (256, 256))
    for folder, images in (("made", generated), ("true", target)):
        (root / folder).mkdir(parents=True)
        for index in range(count):
            image = np.roll(images[index % 16].permute(1, 2, 0).numpy(), index // 16, 1)
            Image.fromarray(image).save(root / folder / f"{index:05}.png", compress_level=1)


@pytest.mark.benchmark
def test_pairs_a_second_and_memory(tmp_path: Path) -> None:
    print("\n   pairs            seconds   pairs/s   MB of the parent   MB of the largest worker")
    for count in map(int, os.environ.get("PGEN_BENCH_PAIRS", "500 2000").split()):
        root = tmp_path / f"{count}"
        write_pairs(root, count)
        folders = ["--generated", str(root / "made"), "--targets", str(root / "true")]
        more = ["--metrics", "ssim,psnr,l1", "--workers", "2", "--cache", str(root / "cache"), "--json"]
        for run in ("measured", "cached"):
            command = [sys.executable, "-c", PROGRAM, "evaluate", *folders, *more]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            code, seconds, _, parent, worker = json.loads(ended.stdout.splitlines()[-1])
            assert code == 0, ended.stderr
            print(f"{count:8,d} {run:8} {seconds:9.1f} {count / seconds:9.0f} {parent:18.0f} {worker:26.0f}")
