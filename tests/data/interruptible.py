"""A small data set to build_store, which tells what was read of it, and what comes of it if nothing interrupts."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py

from pgen.data.build_store import Summary, build_store
from pgen.data.example import Drop, Example, Job
from pgen.runtime.resumable_map import ResumableMap
from tests.data.examples import example

SIZE = (48, 40)
COUNT = 60


def read(index: int, log: str) -> Example | Drop:
    """A photo, with a note in ``log`` that it has been read; some cannot be used, and one has another's name."""
    with Path(log).open("a") as file:
        file.write(f"{index}\n")
    time.sleep(0.001)
    if index % 13 == 5:
        return Drop(f"{index:03}.png", "no parsing map", str(index))
    one = example(index, f"p{index // 4}", "test" if index < 24 else "train")
    return replace(one, name="000.png") if index == 17 else one


def jobs(log: Path, count: int = COUNT) -> Iterator[Job]:
    """What reads each photo. The log is named as a text: as a path, its content would count as a photo's."""
    for index in range(count):
        yield Job(f"{index:03}.png", read, (index, str(log)))


def run(out: Path, **changes: object) -> Summary:
    arguments: dict = {"source": "tests", "options": {"x": 1}, "max_pairs": 30, "seed": 2}
    arguments |= {"train_pairs": [("030.png", "032.png"), ("033.png", "031.png")]} | changes
    examples = arguments.pop("examples", None) or jobs(out.with_suffix(".log"))
    return build_store(examples, out, arguments.pop("size", SIZE), **arguments)


def contents(path: Path) -> dict[str, object]:
    """Everything in a store, but for when it was made."""
    found: dict[str, object] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = (item.dtype.str, item.shape, item.chunks, item[()].tobytes())
        found[f"{name} attributes"] = {key: bytes(value) for key, value in item.attrs.items()}

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        provenance = json.loads(file.attrs["provenance"])
        assert provenance.pop("created")
        found["attributes"] = (provenance, file.attrs["format"], file.attrs["version"])
    return found


def finished_in(partial: Path) -> int:
    """Photos that are finished in ``partial``, as the next run would see it."""
    copies = partial.with_name("copies")
    copies.mkdir()
    for file in partial.parent.glob(f"{partial.name}*"):
        (copies / file.name).write_bytes(file.read_bytes())
    with ResumableMap(copies / partial.name) as finished:
        count = len(finished)
    shutil.rmtree(copies)
    return count


def reads(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def uninterrupted(folder: Path) -> dict[str, object]:
    """What a run that nothing stops writes to the empty ``folder``, as `assert_equal` compares it."""
    out = folder / "a.h5"
    summary = run(out)
    assert (summary.kept, sum(summary.dropped.values()), summary.pairs, summary.resumed) == (54, 6, 30, 0)
    return written(out)


def written(out: Path) -> dict[str, object]:
    """What is in the store and the list beside it; there is nothing else but the log."""
    assert sorted(path.name for path in out.parent.iterdir()) == ["a.dropped.csv", "a.h5", "a.log"]
    return {**contents(out), "dropped": out.with_suffix(".dropped.csv").read_bytes()}


def assert_equal(out: Path, expected: dict[str, object]) -> None:
    assert written(out) == expected


def stopping(after: int, error: type[BaseException], log: Path) -> Iterator[Job]:
    """The first ``after`` of `jobs`, and then ``error``."""
    for index, job in enumerate(jobs(log)):
        if index == after:
            raise error("stopped")
        yield job
