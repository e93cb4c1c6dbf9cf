"""SSIM over DeepFashion's 8,570 test pairs at 256×256: batches here, against scikit-image called pair by pair.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_ssim.py``; PGEN_BENCH_PAIRS=857 takes fewer pairs.
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from pgen.metrics.ssim_kernel import ssim
from tests.models.pictures import pictures

TOGETHER = 64


def now() -> np.ndarray:
    """Seconds of the clock and of processors."""
    return np.array([time.perf_counter(), time.process_time()])


@pytest.mark.benchmark
@pytest.mark.parametrize("protocol", ["legacy", "gfla-51"])
def test_seconds_and_values(protocol: str) -> None:
    count = int(os.environ.get("PGEN_BENCH_PAIRS", "8570"))
    generated, target = pictures(TOGETHER, (256, 256))
    own, theirs = np.zeros(2), np.zeros(2)
    worst, done = 0.0, 0
    while done < count:  # in turns, so that what else the machine does meets both
        # Another picture each time, at no cost.
        images = [one.roll(done, -1) for one in (generated, target)]
        pairs = list(zip(*(one.permute(0, 2, 3, 1).contiguous().numpy() for one in images), strict=True))
        begin = now()
        found = ssim(*images, protocol).numpy()
        middle = now()
        expected = [by_scikit_image(a, b, protocol) for a, b in pairs]
        theirs += now() - middle
        own += middle - begin
        worst = max(worst, float(np.abs(found - expected).max()))
        done += TOGETHER
    print(f"\n{protocol}: {done:,} pairs of 256x256, {torch.get_num_threads()} threads")
    for name, (wall, processor) in (("batches", own), ("scikit-image", theirs)):
        print(f"  {name:14} {wall:7.1f} s   {1000 * processor / done:6.2f} ms of processor a pair")
    print(f"  ratio          {theirs[0] / own[0]:7.1f}     {theirs[1] / own[1]:6.1f} of processor time")
    print(f"  largest difference {worst:.1e}")
    assert worst < 1e-5


def by_scikit_image(generated: np.ndarray, target: np.ndarray, protocol: str) -> float:
    if protocol == "gfla-51":
        a, b = (image.astype(np.float32) / 255 for image in (generated, target))
        return structural_similarity(b, a, win_size=51, data_range=1, channel_axis=2)
    return structural_similarity(
        target,
        generated,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=generated.max() - generated.min(),
    )
