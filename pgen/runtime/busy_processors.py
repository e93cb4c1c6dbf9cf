"""How many threads torch has, and how they wait: decided before torch is loaded, as its library reads it then.

Threads of GNU's OpenMP spin while they wait. On a machine with other work they take the processor from those they wait
for, and everything crawls; on an idle machine, threads that sleep instead wake too late. So it depends on who else is
at work. More threads than there are processors free are slower than as many, whichever way they wait.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
#: So many processors may be in use by others before threads no longer spin.
_OTHERS = 0.4
#: What tells the libraries that compute how many threads they may have.
THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")
_chosen: list[int] = []  # the number of threads that `choose_threads` has chosen, if it has


@dataclass(frozen=True)
class Usage:
    """Processor time of the whole machine, and of this process, until now, in clock ticks."""

    idle: int
    total: int
    own: float


def read_usage() -> Usage | None:
    """The usage until now; None where the system does not say it."""
    try:
        fields = [int(field) for field in _STAT.read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    times = os.times()
    ticks = os.sysconf("SC_CLK_TCK")
    return Usage(fields[3] + fields[4], sum(fields), (times.user + times.system) * ticks)


def count_busy(before: Usage, after: Usage) -> float:
    """How many processors others kept busy in between."""
    total = after.total - before.total
    if total <= 0:
        return 0.0
    used = total - (after.idle - before.idle) - (after.own - before.own)
    return max(0.0, used / total * (os.cpu_count() or 1))


def count_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_threads(before: Usage | None) -> str | None:
    """Threads for the processors that are free, which sleep while they wait, if others were at work since ``before``.

    Returns what to tell of it. Nothing is done once torch is loaded, or where the environment says it already
    (OMP_WAIT_POLICY, OMP_NUM_THREADS).
    """
    after = read_usage()
    if before is None or after is None or "torch" in sys.modules or any(name in os.environ for name in _SAID):
        return None
    busy, count = count_busy(before, after), os.cpu_count() or 1
    if busy < _OTHERS:
        return None
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    _chosen[:] = [min(count_processors(), max(1, math.floor(count - busy + 0.5)))]
    set_thread_count(*_chosen)
    return f"other programs use {busy:.1f} of {count} processors: threads are {_chosen[0]}, and sleep while they wait"


def is_thread_count_given() -> bool:
    """Whether the user says how many threads there are, by the environment or an option of the command line."""
    return "OMP_NUM_THREADS" in os.environ and not _chosen


def set_thread_count(count: int) -> None:
    """Let torch and what else computes use ``count`` threads; before torch is loaded, or after."""
    for name in THREAD_COUNTS:
        os.environ[name] = str(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
