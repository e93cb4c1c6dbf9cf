"""How fast work is, beside how fast the same machine multiplies matrices; for the tables of several benchmarks."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

CPU = torch.device("cpu")


@dataclass
class Row:
    """What one stage takes."""

    stage: str
    rate: float  #: items a second
    gflop: float  #: of products and convolutions, an item
    share: float  #: of the product rate, measured in the same run
    memory: float  #: MB at the most, beyond what was there before

    def __str__(self) -> str:
        return f"{self.stage:44} {self.rate:9.2f} {self.gflop:10.2f} {self.share:7.0%} {self.memory:9.0f}"


HEAD = f"{'stage':44} {'a second':>9} {'GFLOP each':>10} {'share':>7} {'peak MB':>9}"


def clock(device: torch.device) -> float:
    """Seconds: of the processors on the CPU, which other programs change less; else until the GPU is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()


def measure_seconds(work: Callable[[], object], runs: int = 3, device: torch.device = CPU) -> float:
    """The median of ``runs``, after one to warm up."""
    work()
    times = []
    for _ in range(runs):
        begin = clock(device)
        work()
        times.append(clock(device) - begin)
    return median(times)


def alternate(first: Callable[[], object], second: Callable[[], object], runs: int = 3) -> tuple[float, float]:
    """Median seconds of two, taken in turns, after one of each to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for work, its in zip((first, second), times, strict=True):
            begin = clock(CPU)
            work()
            its += [clock(CPU) - begin] * (run > 0)
    return median(times[0]), median(times[1])


def measure_product_rate(device: torch.device = CPU, dtype: torch.dtype = torch.float32) -> float:
    """FLOPs a second of a product of matrices: what convolutions could reach."""
    side = 8192 if device.type == "cuda" else 768
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / measure_seconds(lambda: one @ other, 5, device)


def count_flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


class PeakMemory:
    """Bytes at the most since it was made, beyond those before: of the GPU, or of the process where Linux says it."""

    def __init__(self, device: torch.device = CPU) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            with suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")
        self._before = torch.cuda.memory_allocated(device) if device.type == "cuda" else _read_status("VmRSS")

    def read(self) -> float:
        is_cuda = self._device.type == "cuda"
        return (torch.cuda.max_memory_allocated(self._device) if is_cuda else _read_status("VmHWM")) - self._before


def measure_allocation(work: Callable[[], object], folder: Path) -> float:
    """Bytes at the most that tensors on the CPU take during ``work``, beyond those before; notes go to ``folder``."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    profiler.export_chrome_trace(str(folder / "trace.json"))
    events = json.loads((folder / "trace.json").read_text("utf-8"))["traceEvents"]
    notes = [event["args"] for event in sorted(events, key=lambda e: e.get("ts", 0)) if event.get("name") == "[memory]"]
    totals = [note["Total Allocated"] for note in notes]
    return max(totals) - (totals[0] - notes[0]["Bytes"])


def _read_status(field: str) -> float:
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        return float("nan")
    return float(found[1]) * 1024 if found else float("nan")


def measure(
    stage: str,
    work: Callable[[], object],
    product_rate: float,
    items: int = 1,
    runs: int = 3,
    device: torch.device = CPU,
) -> Row:
    """A row of the table: ``work`` makes so many ``items``."""
    memory = PeakMemory(device)
    flops = count_flops(work)
    seconds = measure_seconds(work, runs, device)
    return Row(stage, items / seconds, flops / items / 1e9, flops / seconds / product_rate, memory.read() / 2**20)


def report(title: str, rows: list[Row], more: dict[str, float]) -> None:
    """Print the table and what else was found, and write both to the file that ``PGEN_JSON`` names."""
    print(f"\n{title}\n{HEAD}")
    print(*rows, sep="\n")
    for name, value in more.items():
        print(f"{name:84} {value:9.3g}")
    if path := os.environ.get("PGEN_JSON"):
        Path(path).write_text(json.dumps({"title": title, "stages": [asdict(row) for row in rows], **more}, indent=1))
