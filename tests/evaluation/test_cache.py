from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache, default_cache
from pgen.runtime.resumable_map import ResumableMap


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "new" / "scores.sqlite")
    rows = {f"{k}": np.random.default_rng(k).normal(size=k % 7 + 1) for k in range(1200)}
    rows["single"] = np.arange(3, dtype=np.float32)
    cache.put(rows)
    again = pickle.loads(pickle.dumps(cache))
    found = again.get([*rows, "absent"])
    assert found.keys() == rows.keys()
    for key, row in rows.items():
        np.testing.assert_array_equal(found[key], row)
        assert found[key].dtype == row.dtype


def test_what_was_kept_survives(tmp_path: Path) -> None:
    first = ScoreCache(tmp_path / "a")
    first.put({"x": np.ones(2)})
    first.put({"x": np.zeros(2)})
    first.close()
    assert ScoreCache(tmp_path / "a").get(["x"])["x"].tolist() == [0, 0]


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no database" * 200)
    with pytest.raises(InputError, match="move it away"):
        ScoreCache(tmp_path / "a")
    with sqlite3.connect(tmp_path / "b") as other:
        other.execute("create table things (x)")
    before = (tmp_path / "b").read_bytes()
    with sqlite3.connect(tmp_path / "c") as other:
        other.execute("create table rows (key text primary key, value blob, mine text)")
    with sqlite3.connect(tmp_path / "d") as other:
        other.execute("create view rows as select 1 as key, 2 as value")
    with ResumableMap(tmp_path / "e") as work:
        work.begin({"unfinished": "work"})
    for path in (*(tmp_path / name for name in "bcde"), tmp_path):
        with pytest.raises(InputError) as caught:
            ScoreCache(path)
        assert caught.value.option == "cache"
    assert (tmp_path / "b").read_bytes() == before


def test_default_is_in_the_user_s_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "pgen" / "scores.sqlite"
