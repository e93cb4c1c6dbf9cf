"""From the photos that a reader gives to a store: fit, check, count, pair, and go on where it was interrupted."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgen.data.dropped_list import check_lists, doubts_path, dropped_path, write_list
from pgen.data.example import CHOICE, DOUBTS, PAIR_WITH_DROPPED_PHOTO, ROW_WITHOUT_PHOTO, Drop, Example, Job
from pgen.data.packing import Entry, content_hash, entry_from_bytes, entry_to_bytes, name_source, pack_item
from pgen.data.pairing import find_named_pairs, find_same_person_pairs
from pgen.data.signature import sign
from pgen.data.store import Store
from pgen.data.store_writer import VERSION, StoreWriter, get_current_time
from pgen.errors import InputError, PgenError
from pgen.runtime.atomic_write import OutputError, check_output, remove_leftovers
from pgen.runtime.parallel_map import parallel_map
from pgen.runtime.resumable_map import FileInUseError, ResumableMap, UnusableFileError, remove_map
from pgen.version import version

#: Same-person pairs that are made at most when the data set names none.
MAX_PAIRS = 10_000

_TOGETHER = 4  # photos that go to a process at once


@dataclass(frozen=True)
class Summary:
    """What has been prepared."""

    out: Path
    size: tuple[int, int]
    kept: int
    dropped: dict[str, int]  # photos by the reason for which they were left out, most first
    missing: dict[str, int]  # pairs, names and rows of keypoints whose photo is not there or dropped, by the reason
    dropped_list: Path | None  # CSV that names each of either
    pairs: int  # for testing
    resumed: int  # photos that an interrupted run had finished
    seconds: float
    pseudo_labels: int = 0  # of each training photo
    doubtful: int = 0  # photos that are kept, but of whose annotations there are doubts, listed in `doubts_path`
    chosen: int = 0  # photos that show several people, of whom one was taken, listed there too


class ResumeError(InputError):
    """Unfinished work is there, but cannot be gone on with; it is left as it is."""


def build_store(
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
    missing: Sequence[Drop] = (),
    max_pairs: int = MAX_PAIRS,
    seed: int = 0,
    workers: int = 1,
    resume: bool = True,
    overwrite: bool = False,
    strict: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Summary:
    """Write ``examples`` to a store ``out`` of photos of ``size`` (height, width).

    Jobs are done in ``workers`` processes. Photos of another size are fitted in with their pose and parsing map.
    Left out are `Drop`, names met before, and photos without both shoulders and both hips; ``out`` with the suffix
    ``.dropped.csv`` lists them.

    ``pairs`` are the (source, target) names for testing; without them, all ordered pairs of photos of one
    person within the split "test" are taken, at most ``max_pairs``, chosen by ``seed``. ``train_pairs`` are those for
    training, if there are any. ``missing`` is what the data set's files name that is not there, counted and listed
    apart from the photos. ``files`` are what all photos depend on, such as the keypoints; they and each photo's
    are kept by their hashes, named relative to ``root``. ``advance`` is called after each photo.

    What is finished is kept in `partial_path`, whatever ends this. With ``resume`` it is not done again; the result is
    that of an uninterrupted run. Raises `InputError` if ``out`` cannot be written, no photo is left, or the
    interrupted run differs in ``source``, ``options``, ``files`` or the photos; and, if ``strict``, for the first photo
    that would be dropped, and for what is ``missing``, but for rows of keypoints.
    """
    start = time.perf_counter()
    out = Path(out)
    check_store_output(out, overwrite)
    for drop in missing:
        if strict and drop.reason != ROW_WITHOUT_PHOTO:
            raise _refuse(drop)
    header = {
        "source": source,
        "options": dict(options or {}),
        "files": {name_source(file, root): content_hash(file) for file in files},
        "size": list(size),
        "pgen": version(),
        "store": VERSION,
        "created": get_current_time(),
    }
    with _open_partial(out, header, resume) as (partial, created, file_hashes):
        remove_leftovers(out)
        remove_leftovers(dropped_path(out))
        remove_leftovers(doubts_path(out))
        resumed = len(partial)
        tally = _Tally(strict)
        for entry in _read_entries(partial):
            tally.add(entry)
        for number, (key, entry) in enumerate(_do_jobs(examples, partial, size, root, workers, advance), start=resumed):
            if not isinstance(entry, Drop) and entry.name in tally.indices:
                entry = Drop(entry.name, "name met before")
            tally.add(entry)
            partial.put({f"{number} {key}": entry_to_bytes(entry)})
            advance()
        dropped = Counter(drop.reason for drop in tally.dropped).most_common()
        if not tally.indices:
            raise InputError(_explain_nothing_left(tally.dropped, dropped, source))
        left_out = [*missing]
        for named in (pairs or (), train_pairs):
            without = [pair for pair in named if not tally.indices.keys() >= {*pair}]
            left_out += [Drop(" -> ".join(pair), PAIR_WITH_DROPPED_PHOTO) for pair in without]
        if pairs is not None:
            chosen = find_named_pairs(pairs, tally.indices)
        else:
            chosen = find_same_person_pairs(tally.tested, max_pairs, seed)
        with StoreWriter(
            out, size, source=source, options=options, files=file_hashes, created=created, overwrite=overwrite
        ) as writer:
            for entry in _read_entries(partial):
                if not isinstance(entry, Drop):
                    writer.append(entry)
            writer.set_pairs("test", chosen)
            if train_pairs:
                writer.set_pairs("train", find_named_pairs(train_pairs, tally.indices))
            # Before the store has its name: then all is done.
            dropped_list = write_list(dropped_path(out), [*tally.dropped, *left_out])
            write_list(doubts_path(out), [*tally.doubtful, *tally.chosen])
    return Summary(
        out=out,
        size=size,
        kept=len(tally.indices),
        dropped=dict(dropped),
        missing=dict(Counter(drop.reason for drop in left_out).most_common()),
        dropped_list=dropped_list,
        pairs=len(chosen),
        resumed=resumed,
        seconds=time.perf_counter() - start,
        doubtful=len(tally.doubtful),
        chosen=len(tally.chosen),
    )


def check_store_output(out: Path, overwrite: bool) -> None:
    """Refuse, before any work is done, a store ``out`` that could not be written, as `check_output` does.

    What a run has left that was killed after ``out`` was whole is removed.
    """
    check_output(out, overwrite=True)
    partial = partial_path(out)
    if out.exists() and partial.exists():  # killed after the last step, or about to be overwritten
        with suppress(InputError), Store(out) as store, ResumableMap(partial, alone=True) as left:
            if left.header is not None and left.header.get("created") == store.provenance["created"]:
                left.remove()
    check_output(out, overwrite)
    check_lists(out)


def partial_path(out: Path) -> Path:
    """Where what is finished of the store ``out`` is kept until all is."""
    return out.with_name(f"{out.name}.part")


@contextmanager
def _open_partial(
    out: Path, header: Mapping[str, Any], resume: bool
) -> Iterator[tuple[ResumableMap, str, dict[str, str]]]:
    """What is finished of ``out``, entries by number and signature; when it was begun; and the hashes of its files.

    It is gone on with if ``resume``, and must then have been begun with ``header``, but for "created". In the end it is
    removed; after an error it is kept, unless nothing is finished or it came of bad input.
    """
    path = partial_path(out)
    asked: dict[str, Any] = json.loads(json.dumps(header))  # as it will be read: lists, not tuples
    existed = path.exists()
    try:
        partial = ResumableMap(path, alone=True)
    except FileInUseError as error:
        raise InputError(f"{error}, or choose another output", option="out") from None
    except PgenError:
        if not existed:
            remove_map(path)
        raise
    with partial:
        try:
            begun = partial.header
            if begun is None and len(partial):
                raise UnusableFileError(f"{path} keeps something else than unfinished work; move it away")
            if begun is None or not resume:
                partial.begin(asked)
                begun = asked
            elif changed := _describe_difference(begun, asked):
                raise ResumeError(
                    f"{path} holds unfinished work that was begun with {changed}: give the same again to go on, or "
                    "start anew",
                    option="no_resume",
                )
            yield partial, begun["created"], begun["files"]
        except BaseException as error:
            is_harmless = isinstance(error, (ResumeError, UnusableFileError, OutputError))
            if (isinstance(error, InputError) and not is_harmless) or not len(partial):
                partial.remove()
            raise
        partial.remove()


def _describe_difference(begun: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """What differs between the work that was begun and the one asked for, in words; "" if nothing does."""
    for key in sorted(begun.keys() | header.keys()):
        was, now = begun.get(key), header.get(key)
        if key == "created" or was == now:
            continue
        if not isinstance(was, dict) or not isinstance(now, dict):
            return f"{key} {json.dumps(was)}, not {json.dumps(now)}"
        if key != "files":
            return _describe_difference(was, now)
        return f"other contents of {next(file for file in was.keys() | now.keys() if was.get(file) != now.get(file))}"
    return ""


def _read_entries(partial: ResumableMap) -> Iterator[Entry]:
    """All finished items, in order."""
    for value in partial.iterate_values():
        try:
            yield entry_from_bytes(value)
        except ValueError as error:
            raise ResumeError(f"{partial.path} is damaged; start anew", option="no_resume") from error


class _Tally:
    """What has been kept and dropped so far; nothing may be dropped if it is ``strict``."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.indices: dict[str, int] = {}  # of what was kept, by name
        self.tested: dict[str, list[int]] = defaultdict(list)  # photos for testing of each person
        self.dropped: list[Drop] = []
        self.doubtful: list[Drop] = []
        self.chosen: list[Drop] = []

    def add(self, entry: Entry) -> None:
        if isinstance(entry, Drop):
            if self.strict:
                raise _refuse(entry)
            self.dropped.append(entry)
            return
        attributes = json.loads(entry.attributes)
        for its, key, reason in (
            (self.doubtful, DOUBTS, "doubtful annotation"), (self.chosen, CHOICE, "one of several people"),
        ):  # fmt: skip
            if detail := attributes.get(key):
                its.append(Drop(entry.name, reason, detail))
        index = self.indices[entry.name] = len(self.indices)
        if entry.split == "test":
            self.tested[entry.person].append(index)


def _refuse(drop: Drop) -> InputError:
    detail = f" ({drop.detail})" if drop.detail else ""
    return InputError(f"{drop.name}: {drop.reason}{detail}; no photo may be dropped", option="strict")


def _do_jobs(
    examples: Iterable[Job | Example | Drop],
    partial: ResumableMap,
    size: tuple[int, int],
    root: Path | None,
    workers: int,
    advance: Callable[[], None],
) -> Iterator[tuple[str, Entry]]:
    """Signatures and results of those of ``examples`` that ``partial`` does not have; the others only advance."""
    waiting: deque[str] = deque()

    def tasks() -> Iterator[tuple[Job | Example | Drop, tuple[int, int], Path | None]]:
        finished = iter([key.partition(" ")[2] for key in partial.list_keys()])
        for item in examples:
            key = sign(item)
            was = next(finished, None)
            if was is None:
                waiting.append(key)
                yield item, size, root
            elif was == key:
                advance()
            else:
                raise _explain_changed(partial, f"{item.name} is new or has changed")
        if next(finished, None) is not None:
            raise _explain_changed(partial, "photos have gone")

    for entry in parallel_map(pack_item, tasks(), workers, _TOGETHER):
        yield waiting.popleft(), entry


def _explain_changed(partial: ResumableMap, what: str) -> ResumeError:
    return ResumeError(f"{partial.path} holds unfinished work, since when {what}; start anew", option="no_resume")


def _explain_nothing_left(dropped: Sequence[Drop], counts: Sequence[tuple[str, int]], source: str) -> str:
    if not dropped:
        return f"{source} has no photos"
    reasons = ", ".join(f"{count} × {reason}" for reason, count in counts[:3])
    detail = dropped[0].detail or dropped[0].reason
    return f"{source}: none of {len(dropped)} photos can be used: {reasons} (first: {dropped[0].name}: {detail})"
