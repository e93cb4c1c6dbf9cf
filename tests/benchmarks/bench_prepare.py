"""Images a second of ``pgen prepare`` from files on disk, and the memory it takes, at three sizes of data set.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_prepare.py``; PGEN_BENCH_PHOTOS="1000 20000" chooses the sizes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.joints import TORSO_JOINTS, known_joints
from pgen.data.example import Example
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store
from tests.data.pose_files import write_pose_csv

SIZE = (256, 256)
#: Runs the command and says what it took: seconds, those of processors, and the largest resident memory of it and of a
#: worker, in MB.
PROGRAM = """
import json, multiprocessing, resource, sys, threading, time
from pathlib import Path
from pgen.cli.main import main

worker = 0.0

def watch():
    global worker
    while True:
        for child in multiprocessing.active_children():
            try:
                status = Path(f"/proc/{child.pid}/status").read_text()
                worker = max(worker, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
            except (OSError, IndexError):
                pass
        time.sleep(0.5)

if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    start = time.perf_counter()
    code = main(sys.argv[1:])
    seconds = time.perf_counter() - start
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor = sum(usage.ru_utime + usage.ru_stime for usage in (own, workers))
    print(json.dumps([code, seconds, processor, own.ru_maxrss / 1024, worker]))
"""


def write_data_set(root: Path, people: Sequence[Example], count: int) -> None:
    """``count`` photos, every other a JPEG and a PNG, with maps and keypoints; files beyond the first are links."""
    for folder in ("images", "parsing"):
        (root / folder).mkdir(parents=True)
    poses = {}
    for index in range(count):
        one, suffix = people[index % len(people)], (".jpg", ".png")[index % 2]
        photo, parsing = root / f"images/{index:06}{suffix}", root / f"parsing/{index:06}.npy"
        first = index % (2 * len(people))
        if first == index:
            Image.fromarray(one.image).save(photo, quality=95)
            np.save(parsing, one.parsing.astype(np.int64))
        else:
            os.link(root / f"images/{first:06}{suffix}", photo)
            os.link(root / f"parsing/{first:06}.npy", parsing)
        poses[photo.name] = one.pose
    write_pose_csv(root / "keypoints.csv", poses)


@pytest.mark.benchmark
def test_images_a_second_and_memory(tmp_path: Path) -> None:
    people = [synthetic_example(5, person, 0, SIZE) for person in range(60)]
    people = [one for one in people if known_joints(one.pose)[list(TORSO_JOINTS)].all()]
    print(f"\n{len(people)} renders of 256x256, half of them JPEG and half PNG, maps .npy of int64, 2 workers")
    speed, memory = "photos   seconds   photos/s   processor ms a photo", "MB of the parent   MB of the largest worker"
    print(f"   {speed}   {memory}   MB of the file")
    for count in map(int, os.environ.get("PGEN_BENCH_PHOTOS", "1000 5000 20000").split()):
        root, out = tmp_path / f"{count}", tmp_path / f"{count}.h5"
        write_data_set(root, people, count)
        command = ["prepare", "--dataset", "folder", "--root", str(root), "--out", str(out), "--workers", "2"]
        ended = subprocess.run([sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, check=True)
        code, seconds, processor, parent, worker = json.loads(ended.stdout.splitlines()[-1])
        assert code == 0, ended.stderr
        size = out.stat().st_size / 1e6
        speed = f"{count:9,d} {seconds:9.1f} {count / seconds:10.0f} {1000 * processor / count:22.1f}"
        print(f"{speed} {parent:18.0f} {worker:26.0f} {size:16.0f}")
        assert len(Store(out)) == count
        out.unlink()
