from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgen.data.signature import sign
from tests.data.examples import example


@dataclass
class Scheme:
    table: dict[str, int]
    extra: object = None


def function() -> None: ...


def test_different_things_differ() -> None:
    values = [
        None, 0, 1, 1.0, "1", b"1", True, "", (), [1, 2], [[1], 2], [1, [2]], ["ab"], ["a", "b"], {}, {"a": 1},
        {1, 2}, np.arange(4), np.arange(4.0), np.arange(4).reshape(2, 2), Path("a"), "a", Scheme({"a": 1}),
        Scheme({"a": 2}), Scheme({"a": 1}, 3), function, sign, np.array([np.nan, 1]), example(0), example(1),
    ]  # fmt: skip
    assert len({sign(value) for value in values}) == len(values)


def test_large_arrays_differ_in_any_element() -> None:
    array = np.zeros(100_000)
    before = sign(array)
    array[50_000] = 1
    assert sign(array) != before


def test_the_same_in_every_process() -> None:
    program = (
        "from pathlib import Path; from pgen.data.signature import sign;"
        "from tests.data.test_signature import Scheme, function;"
        "print(sign([Scheme({'a': 1}), {'x', 'y', 'z'}, function, Path('gone')]))"
    )
    here = sign([Scheme({"a": 1}), {"x", "y", "z"}, function, Path("gone")])
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert found.stdout.strip() == here


def test_files_count_with_their_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    seen = {sign(path)}
    for text, time in (("1", 10), ("2", 20), ("33", 20)):
        path.write_text(text)
        os.utime(path, (time, time))
        seen.add(sign(path))
    assert len(seen) == 4
    path.write_text("44")
    os.utime(path, (20, 20))
    assert sign(path) in seen
