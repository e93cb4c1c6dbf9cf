"""From the photos that a reader gives to a store: fit, check, count, pair."""

from __future__ import annotations

import csv
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.framing import Fit
from pgen.body.joints import TORSO_JOINTS, known
from pgen.data.example import Drop, Example
from pgen.data.outputs import check_output, write_whole
from pgen.data.store_writer import StoreWriter
from pgen.errors import InputError

#: Same-person pairs that are made at most when the data set names none.
MAX_PAIRS = 10_000


@dataclass(frozen=True)
class Summary:
    """What `prepare` has done."""

    out: Path
    size: tuple[int, int]
    kept: int
    dropped: dict[str, int]  # photos by the reason for which they were left out, most first
    dropped_list: Path | None  # CSV that names each of them
    pairs: int  # for testing
    pairs_dropped: int  # of those the data set names, because a photo of them was dropped
    seconds: float


def prepare(
    examples: Iterable[Example | Drop],
    out: str | os.PathLike[str],
    size: tuple[int, int],
    *,
    source: str,
    options: Mapping[str, Any] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    max_pairs: int = MAX_PAIRS,
    seed: int = 0,
    force: bool = False,
    strict: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Summary:
    """Write ``examples`` to a store ``out`` of photos of ``size`` (height, width).

    Photos of another size are fitted in with their pose and parsing map. Left out are `Drop`, names met
    before, and photos without both shoulders and both hips; ``out`` with the suffix ``.dropped.csv`` lists
    them.
    ``pairs`` are the (source, target) names for testing; without them, all ordered pairs of photos of one
    person within the split "test" are taken, at most ``max_pairs``, chosen by ``seed``. ``advance`` is called
    after each photo. Raises `InputError` if ``out`` cannot be written or no photo is left, and for the first photo that
    would be dropped if ``strict``.
    """
    start = time.perf_counter()
    out = Path(out)
    check_output(out, force)
    dropped: list[Drop] = []
    persons: dict[str, list[int]] = defaultdict(list)  # test photos of each
    with StoreWriter(out, size, source=source, options=options, force=force) as writer:
        for example in examples:
            checked = _check(example, size, writer)
            if isinstance(checked, Drop) and strict:
                raise InputError(_refused(checked))
            if isinstance(checked, Drop):
                dropped.append(checked)
            else:
                index = writer.add(checked)
                if checked.split == "test":
                    persons[checked.person].append(index)
            advance()
        if not len(writer):
            raise InputError(_nothing_left(dropped, source))
        chosen = _named_pairs(pairs, writer) if pairs is not None else _same_person(persons, max_pairs, seed)
        writer.set_pairs("test", chosen)
    return Summary(
        out=out,
        size=size,
        kept=len(writer),
        dropped=dict(Counter(drop.reason for drop in dropped).most_common()),
        dropped_list=_write_dropped(out, dropped),
        pairs=len(chosen),
        pairs_dropped=len(pairs) - len(chosen) if pairs is not None else 0,
        seconds=time.perf_counter() - start,
    )


def dropped_path(out: Path) -> Path:
    """Where the list of dropped photos of the store ``out`` is written."""
    return out.with_suffix(".dropped.csv")


def _check(example: Example | Drop, size: tuple[int, int], writer: StoreWriter) -> Example | Drop:
    if isinstance(example, Drop):
        return example
    if example.name in writer:
        return Drop(example.name, "name met before")
    missing = [joint.name.lower() for joint in TORSO_JOINTS if not known(example.pose)[joint]]
    if missing:
        return Drop(example.name, "torso joints missing", ", ".join(missing))
    original = example.image.shape[:2]
    if original == size:
        return example
    fit = Fit.of((original[0], original[1]), size)
    return replace(
        example,
        image=fit.image(example.image),
        parsing=fit.parsing(example.parsing),
        pose=fit.pose(example.pose),
    )


def _named_pairs(pairs: Sequence[tuple[str, str]], writer: StoreWriter) -> NDArray[np.int32]:
    kept = [pair for pair in pairs if pair[0] in writer and pair[1] in writer]
    return np.array([[writer.index(name) for name in pair] for pair in kept], np.int32).reshape(-1, 2)


def _same_person(persons: Mapping[str, Sequence[int]], most: int, seed: int) -> NDArray[np.int32]:
    every = [
        (source, target) for photos in persons.values() for source in photos for target in photos if source != target
    ]
    if len(every) > most:
        chosen = np.random.default_rng(seed).choice(len(every), most, replace=False)
        every = [every[index] for index in np.sort(chosen)]
    return np.array(every, np.int32).reshape(-1, 2)


def _write_dropped(out: Path, dropped: Sequence[Drop]) -> Path | None:
    """Write the list that belongs to ``out``; one of an earlier run is replaced or removed."""
    path = dropped_path(out)
    if not dropped:
        path.unlink(missing_ok=True)
        return None
    with write_whole(path, force=True) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("name", "reason", "detail"))
        table.writerows((drop.name, drop.reason, drop.detail) for drop in dropped)
    return path


def _refused(drop: Drop) -> str:
    detail = f" ({drop.detail})" if drop.detail else ""
    return f"{drop.name}: {drop.reason}{detail}; --strict allows no photo to be dropped"


def _nothing_left(dropped: Sequence[Drop], source: str) -> str:
    if not dropped:
        return f"{source} has no photos"
    counts = Counter(drop.reason for drop in dropped).most_common(3)
    reasons = ", ".join(f"{count} × {reason}" for reason, count in counts)
    first = dropped[0]
    detail = first.detail or first.reason
    return f"{source}: none of {len(dropped)} photos can be used: {reasons} (first: {first.name}: {detail})"
