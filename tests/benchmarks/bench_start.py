"""How long ``pgen --help`` takes, against importing typer and rich; and ``pgen generate``, against importing torch.

All with the start of the interpreter, alternating. ``generate`` has all annotations given; it is measured up to its
first network, which is what it takes to start, and as a whole: then it has painted a result of 256×256. Seconds are of
the processor (user and system), which other programs on the machine change less than the clock's.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_start.py``; ``PGEN_RUNS`` of the second table (default 5).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from PIL import Image

from pgen.data.formats.pose_json import write_pose_json
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import render

MAIN = "import sys; from pgen.cli.main import main; sys.exit(main())"
STOPPED = (
    "import os; from pgen.inference.networks import Networks\n"
    "Networks.predict_probabilities = lambda *given: os._exit(0)\n"
)
PROGRAMS = {"import torch": "import torch", "generate, its start": STOPPED + MAIN, "generate": MAIN}


def best_seconds(program: str, *arguments: str, runs: int = 15) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def processor_seconds(program: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.benchmark
def test_bench_start() -> None:
    reference = best_seconds("import typer, rich")
    print(f"\nbest of 15, ms\nimport typer, rich     {1e3 * reference:6.1f}")
    for flag in ("--help", "--version"):
        seconds = best_seconds(MAIN, flag)
        print(f"pgen {flag:17} {1e3 * seconds:6.1f}   ratio {seconds / reference:4.2f}")
        assert seconds < 2.5 * reference
        assert seconds < 0.5


@pytest.mark.benchmark
def test_bench_generate(tmp_path: Path) -> None:
    source, target = (render(synthetic_person(0, 0), synthetic_shot(0, 0, shot)) for shot in (0, 1))
    photo, map_ = tmp_path / "photo.png", tmp_path / "map.npy"
    Image.fromarray(source.image).save(photo)
    np.save(map_, source.parsing)
    poses = [write_pose_json(tmp_path / f"{k}.json", one.pose, (256, 256)) for k, one in enumerate((source, target))]
    given = [photo, "--src-pose", poses[0], "--src-parsing", map_, "--pose", poses[1], "-o", tmp_path / "a.png"]
    command = ["generate", *map(str, given), "--force"]
    runs = int(os.environ.get("PGEN_RUNS", "5"))
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            seconds[name].append(processor_seconds(program, *(command if program != "import torch" else [])))
    print(f"\nmedian of {runs}, processor seconds")
    for name, all_of_them in seconds.items():
        print(
            f"{name:22} {median(all_of_them):5.2f}   ratio {median(all_of_them) / median(seconds['import torch']):4.2f}"
        )
    assert (tmp_path / "a.png").exists()
