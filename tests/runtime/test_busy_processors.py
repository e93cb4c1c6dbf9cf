from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgen.runtime import busy_processors
from pgen.runtime.busy_processors import Usage, choose_threads, count_busy, is_thread_count_given, read_usage


def test_what_others_use_is_neither_idle_nor_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert count_busy(Usage(100, 1000, 50.0), Usage(150, 1200, 100.0)) == pytest.approx(
        2.0
    )  # (200 − 50 − 50) / 200 × 4
    assert count_busy(Usage(100, 1000, 50.0), Usage(100, 1000, 50.0)) == 0


@pytest.mark.parametrize(
    ("idle", "policy", "count"), [(1000, None, None), (600, "PASSIVE", "2"), (100, "PASSIVE", "1")]
)
def test_threads_are_as_many_as_processors_are_free(
    monkeypatch: pytest.MonkeyPatch, idle: int, policy: str | None, count: str | None
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(busy_processors, "count_processors", lambda: 4)
    monkeypatch.setattr(busy_processors, "_chosen", [])
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(busy_processors, "read_usage", lambda: Usage(idle, 1000, 0.0))
    told = choose_threads(Usage(0, 0, 0.0))
    assert os.environ.get("OMP_WAIT_POLICY") == policy
    assert (told is not None) == (policy is not None)
    assert os.environ.get("OMP_NUM_THREADS") == count
    assert not is_thread_count_given()
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert choose_threads(Usage(0, 0, 0.0)) is None
    assert "OMP_WAIT_POLICY" not in os.environ


def test_a_system_that_does_not_say_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(busy_processors, "_STAT", tmp_path / "none")
    assert read_usage() is None
    assert choose_threads(read_usage()) is None


def test_threads_are_as_many_as_asked_for() -> None:
    told = "b.set_thread_count(1); import torch; print(torch.get_num_threads())"
    code = f"import pgen.runtime.busy_processors as b; {told}"
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.strip() == "1"
