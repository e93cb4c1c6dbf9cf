"""From the photos that a reader gives to a store: fit, check, count, pair, and go on where it was interrupted."""

from __future__ import annotations

import csv
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgen.data.example import Drop, Example, Job
from pgen.data.packing import content_hash, count_shown, pack_all
from pgen.data.pairing import find_same_person_pairs, pairs_from_names
from pgen.data.signature import signature
from pgen.data.store import Store
from pgen.data.store_writer import VERSION, StoreWriter, current_time
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write, check_output, remove_leftovers
from pgen.runtime.journal import Entry, Journal, ResumeError, journal_start
from pgen.runtime.parallel_map import parallel_map
from pgen.version import version

#: Same-person pairs that are made at most when the data set names none.
MAX_PAIRS = 10_000

_TOGETHER = 4  # photos that go to a process at once


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
    resumed: int  # photos that an interrupted run had finished
    seconds: float


def prepare(
    examples: Iterable[Job | Example | Drop],
    out: str | os.PathLike[str],
    size: tuple[int, int],
    *,
    source: str,
    options: Mapping[str, Any] | None = None,
    root: Path | None = None,
    files: Sequence[Path] = (),
    pairs: Sequence[tuple[str, str]] | None = None,
    train_pairs: Sequence[tuple[str, str]] = (),
    max_pairs: int = MAX_PAIRS,
    seed: int = 0,
    workers: int = 1,
    resume: bool = True,
    force: bool = False,
    strict: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Summary:
    """Write ``examples`` to a store ``out`` of photos of ``size`` (height, width).

    Jobs are done in ``workers`` processes. Photos of another size are fitted in with their pose and parsing map.
    Left out are `Drop`, names met before, and photos without both shoulders and both hips; ``out`` with the suffix
    ``.dropped.csv`` lists them.

    ``pairs`` are the (source, target) names for testing; without them, all ordered pairs of photos of one
    person within the split "test" are taken, at most ``max_pairs``, chosen by ``seed``. ``train_pairs`` are those for
    training, if there are any. ``files`` are what all photos depend on, such as the keypoints; they and each photo's
    are kept by their hashes, named relative to ``root``. ``advance`` is called after each photo.

    What is finished is kept in `journal_path`, whatever ends this. With ``resume`` it is not done again; the result is
    that of an uninterrupted run. Raises `InputError` if ``out`` cannot be written, no photo is left, or the
    interrupted run differs in ``source``, ``options``, ``files`` or the photos; and, if ``strict``, for the first photo
    that would be dropped.
    """
    start = time.perf_counter()
    out = Path(out)
    check_store_output(out, force)
    header = {
        "source": source,
        "options": dict(options or {}),
        "files": {count_shown(file, root): content_hash(file) for file in files},
        "size": list(size),
        "pgen": version(),
        "store": VERSION,
        "created": current_time(),
    }
    with Journal(journal_path(out), header, resume) as journal:
        remove_leftovers(out)
        remove_leftovers(dropped_path(out))
        resumed = len(journal)
        tally = _Tally()
        for entry in journal.entries():
            if strict and isinstance(entry, Drop):
                raise InputError(_refused(entry))
            tally.add(entry)
        for key, entry in _work(examples, journal, size, root, workers, advance):
            entry = tally.checked(entry)
            if strict and isinstance(entry, Drop):
                raise InputError(_refused(entry))
            journal.append(key, entry)
            tally.add(entry)
            advance()
        if not tally.indices:
            raise InputError(_nothing_left(tally.dropped, source))
        if pairs is not None:
            chosen = pairs_from_names(pairs, tally.indices)
        else:
            chosen = find_same_person_pairs(tally.tested, max_pairs, seed)
        begun = journal.header
        with StoreWriter(
            out, size,
            source=source, options=options, files=begun["files"], created=begun["created"], force=force,
        ) as writer:  # fmt: skip
            for entry in journal.entries():
                if not isinstance(entry, Drop):
                    writer.append(entry)
            writer.set_pairs("test", chosen)
            if train_pairs:
                writer.set_pairs("train", pairs_from_names(train_pairs, tally.indices))
            dropped_list = _write_dropped(out, tally.dropped)  # before the store has its name: then all is done
        journal.remove()
    return Summary(
        out=out,
        size=size,
        kept=len(tally.indices),
        dropped=dict(Counter(drop.reason for drop in tally.dropped).most_common()),
        dropped_list=dropped_list,
        pairs=len(chosen),
        pairs_dropped=len(pairs) - len(chosen) if pairs is not None else 0,
        resumed=resumed,
        seconds=time.perf_counter() - start,
    )


def check_store_output(out: Path, force: bool) -> None:
    """Refuse, before any work is done, a store ``out`` that could not be written, as `check_output` does.

    What a run has left that was killed after ``out`` was whole is removed.
    """
    check_output(out, force=True)
    journal = journal_path(out)
    if out.exists() and journal.exists():  # killed after the last step, or about to be overwritten
        with suppress(InputError), Store(out) as store:
            if journal_start(journal) == store.provenance["created"]:
                journal.unlink()
    check_output(out, force)


def dropped_path(out: Path) -> Path:
    """Where the list of dropped photos of the store ``out`` is written."""
    return out.with_suffix(".dropped.csv")


def journal_path(out: Path) -> Path:
    """Where what is finished of the store ``out`` is kept until all is."""
    return out.with_name(f"{out.name}.part")


class _Tally:
    """What has been kept and dropped so far."""

    def __init__(self) -> None:
        self.indices: dict[str, int] = {}  # of what was kept, by name
        self.tested: dict[str, list[int]] = defaultdict(list)  # photos for testing of each person
        self.dropped: list[Drop] = []

    def checked(self, entry: Entry) -> Entry:
        """``entry``, or its drop if there is one of its name."""
        met = not isinstance(entry, Drop) and entry.name in self.indices
        return Drop(entry.name, "name met before") if met else entry

    def add(self, entry: Entry) -> None:
        if isinstance(entry, Drop):
            self.dropped.append(entry)
            return
        index = self.indices[entry.name] = len(self.indices)
        if entry.split == "test":
            self.tested[entry.person].append(index)


def _work(
    examples: Iterable[Job | Example | Drop],
    journal: Journal,
    size: tuple[int, int],
    root: Path | None,
    workers: int,
    advance: Callable[[], None],
) -> Iterator[tuple[str, Entry]]:
    """Signatures and results of those of ``examples`` that ``journal`` does not have; the others only advance."""
    waiting: deque[str] = deque()

    def tasks() -> Iterator[tuple[Job | Example | Drop, tuple[int, int], Path | None]]:
        finished = iter(journal.signatures[:])
        for item in examples:
            key = signature(item)
            was = next(finished, None)
            if was is None:
                waiting.append(key)
                yield item, size, root
            elif was == key:
                advance()
            else:
                raise _changed(journal, f"{item.name} is new or has changed")
        if next(finished, None) is not None:
            raise _changed(journal, "photos have gone")

    for entry in parallel_map(pack_all, tasks(), workers, _TOGETHER):
        yield waiting.popleft(), entry


def _changed(journal: Journal, what: str) -> ResumeError:
    return ResumeError(f"{journal.path} holds unfinished work, since when {what}; start anew with --no-resume")


def _write_dropped(out: Path, dropped: Sequence[Drop]) -> Path | None:
    """Write the list that belongs to ``out``; one of an earlier run is replaced or removed."""
    path = dropped_path(out)
    if not dropped:
        path.unlink(missing_ok=True)
        return None
    with (
        atomic_write(path, force=True) as aside,
        aside.open("w", encoding="utf-8", errors="replace", newline="") as file,
    ):
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
