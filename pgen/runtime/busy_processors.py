"""How torch's threads wait for each other: decided before torch is loaded, as its library reads it then.

Threads of GNU's OpenMP spin while they wait. On a machine with other work they take the processor from those they wait
for, and everything crawls; on an idle machine, threads that sleep instead wake too late. So it depends on who else is
at work.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
#: So many processors may be in use by others before threads no longer spin.
_OTHERS = 0.4
_SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")


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


def choose_waiting(before: Usage | None) -> str | None:
    """Let threads sleep while they wait if others have been at work since ``before``; what to tell of it.

    Nothing is done once torch is loaded, or where the environment says it already (OMP_WAIT_POLICY, OMP_NUM_THREADS).
    """
    after = read_usage()
    if before is None or after is None or "torch" in sys.modules or any(name in os.environ for name in _SAID):
        return None
    busy = count_busy(before, after)
    if busy < _OTHERS:
        return None
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return f"other programs use {busy:.1f} processors: threads sleep while they wait (OMP_WAIT_POLICY=PASSIVE)"


def set_thread_count(count: int) -> None:
    """Let torch and what else computes use ``count`` threads; before torch is loaded, or after."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
