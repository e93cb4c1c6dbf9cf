from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgen.errors import PgenError
from pgen.runtime.parallel_map import keep_workers, parallel_map


def late_when_early(index: int, count: int) -> tuple[int, int, str | None]:
    time.sleep(0.01 * (count - index))
    return index, os.getpid(), os.environ.get("OMP_NUM_THREADS")


def fail_at(index: int, wrong: int) -> int:
    if index == wrong:
        raise ValueError(f"item {index}")
    return index


def tell_process(index: int) -> int:
    time.sleep(0.005)
    return os.getpid()


def die(index: int) -> int:
    os._exit(9)


def runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # ended, if not yet noticed by init


def test_results_come_in_order_from_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    results = list(parallel_map(late_when_early, ((index, 12) for index in range(12)), workers=2))
    assert [index for index, _, _ in results] == list(range(12))
    assert os.getpid() not in {process for _, process, _ in results}
    assert {threads for _, _, threads in results} == {"1"}
    assert "OMP_NUM_THREADS" not in os.environ


def test_items_sent_together_come_in_order() -> None:
    results = list(parallel_map(late_when_early, ((index, 23) for index in range(23)), workers=2, together=5))
    assert [index for index, _, _ in results] == list(range(23))
    assert len({process for _, process, _ in results}) == 2


def test_workers_may_be_kept_for_the_next_work() -> None:
    with keep_workers():
        first = {process for _, process, _ in parallel_map(late_when_early, [(0, 2), (1, 2)], 2)}
        with keep_workers():
            next_ones = set(parallel_map(tell_process, [(0,), (1,)], 2))
        other = set(parallel_map(tell_process, [(0,)] * 3, 3))
        with pytest.raises(ValueError, match="item 1"):
            list(parallel_map(fail_at, [(0, 1), (1, 1)], 2))
        fresh = set(parallel_map(tell_process, [(0,)], 2))
        assert next_ones <= first
        assert all(runs(process) for process in other | fresh)
        assert not any(runs(process) for process in first)  # that of an error ended, and theirs with it
        assert (other | fresh).isdisjoint(first)
    assert not any(runs(process) for process in other | fresh)


def test_one_worker_works_here_and_lazily() -> None:
    taken = []
    results = parallel_map(fail_at, ((taken.append(index) or index, -1) for index in range(9)), workers=1)
    assert next(results) == 0
    assert taken == [0]


def test_few_items_are_taken_ahead() -> None:
    taken = []
    results = parallel_map(fail_at, ((taken.append(index) or index, -1) for index in range(1000)), workers=2)
    assert next(results) == 0
    assert len(taken) < 20
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_arrive(workers: int) -> None:
    results = parallel_map(fail_at, ((index, 2) for index in range(100)), workers)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="item 2"):
        next(results)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_when_the_parent_is_killed() -> None:
    program = (
        "from pgen.runtime.parallel_map import parallel_map\nfrom tests.runtime.test_parallel_map import tell_process\n"
        "for process in parallel_map(tell_process, ((i,) for i in range(10**6)), 2): print(process, flush=True)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = {int(parent.stdout.readline()) for _ in range(40)}
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(200):
        if not any(runs(worker) for worker in workers):
            return
        time.sleep(0.05)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    pytest.fail("workers were left")


def test_death_of_a_worker_is_told() -> None:
    with pytest.raises(PgenError, match="worker process died"):
        list(parallel_map(die, ((index,) for index in range(3)), workers=2))


INTERRUPTED_START = """
import os, signal, sys, threading, time
from multiprocessing.process import BaseProcess
from pgen.runtime.parallel_map import parallel_map

start = BaseProcess.start

def interrupted_start(process):
    start(process)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)  # it gets so far that it waits for work

threading.Thread(target=time.sleep, args=(60,), daemon=True).start()  # gets what the main thread blocks
BaseProcess.start = interrupted_start
try:
    list(parallel_map(abs, ((number,) for number in range(100)), 2))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_interruption_while_workers_start() -> None:
    command = [sys.executable, "-c", INTERRUPTED_START]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted\n", "")


def test_a_script_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import math\n"
        "from pgen.runtime.parallel_map import parallel_map\n"
        "print(list(parallel_map(math.sqrt, [(4,), (9,)], 2)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "[2.0, 3.0]\n"
