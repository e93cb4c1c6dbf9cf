"""`prepare` after an interruption: it goes on where it was, if the work is still the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgen.data.build_store import partial_path
from pgen.data.example import Example, Job
from pgen.data.store import Store
from pgen.errors import InputError, PgenError
from pgen.runtime.resumable_map import ResumableMap
from tests.data.examples import example, nothing_left_in
from tests.data.interruptible import COUNT, assert_equal, jobs, reads, run, stopping, uninterrupted


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """An uninterrupted run's store."""
    return uninterrupted(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    ("error", "workers"),
    [(KeyboardInterrupt, 1), (KeyboardInterrupt, 2), (SystemExit, 1), (PgenError, 1), (MemoryError, 1)],
)
def test_interruptions_keep_what_is_finished(
    tmp_path: Path, expected: dict[str, object], error: type[BaseException], workers: int
) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(error):
        run(out, examples=stopping(50, error, out.with_suffix(".log")), workers=workers)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".log"] == ["a.h5.part"]
    summary = run(out, workers=workers)
    assert 15 < summary.resumed <= 50
    assert_equal(out, expected)


def test_bad_input_or_nothing_done_leaves_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    for after, error in ((0, KeyboardInterrupt), (10, InputError)):
        with pytest.raises(error):
            run(tmp_path / "a.h5", examples=stopping(after, error, log))
        assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_options_may_be_tuples(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    options = {"size": (1, 2), "more": {"frame": (3, 4)}}
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=stopping(10, KeyboardInterrupt, out.with_suffix(".log")), options=options)
    assert run(out, options=options).resumed == 10


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """An output of which 20 photos are finished."""
    out = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=stopping(20, KeyboardInterrupt, out.with_suffix(".log")))
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"x": 2}}, r"was begun with x 1, not 2: give the same again to go on, or start anew"),
        ({"options": {"x": 1, "y": 3}}, r"was begun with y null, not 3"),
        ({"source": "elsewhere"}, r'was begun with source "tests", not "elsewhere"'),
        ({"size": (32, 32)}, r"was begun with size \[48, 40\], not \[32, 32\]"),
    ],
)
def test_other_work_is_refused(begun: Path, expected: dict[str, object], changes: dict, message: str) -> None:
    with nothing_left_in(begun.parent), pytest.raises(InputError, match=message):
        run(begun, **changes)
    assert run(begun, **changes, resume=False).resumed == 0


def test_other_photos_are_refused(begun: Path) -> None:
    log = begun.with_suffix(".log")
    items = list(jobs(log))
    for changed, message in (
        ([*items[:7], *items[8:]], r"since when 008\.png is new or has changed; start anew"),
        ([*items[:3], replace(items[3], arguments=(99, str(log))), *items[4:]], r"003\.png is new or has changed"),
        (items[:12], "photos have gone"),
    ):
        with nothing_left_in(begun.parent), pytest.raises(InputError, match=message):
            run(begun, examples=changed)


def test_changed_files_are_refused(tmp_path: Path) -> None:
    for name in ("photo", "keypoints.csv"):
        (tmp_path / name).write_text("1")

    def examples(stop: bool) -> Iterator[Job]:
        yield Job("a", read_path, (tmp_path / "photo",))
        if stop:
            raise KeyboardInterrupt
        yield Job("b", read_path, (tmp_path / "photo", 1))

    arguments: dict = {"files": [tmp_path / "keypoints.csv"], "root": tmp_path, "train_pairs": ()}
    out = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, examples=examples(True), **arguments)
    (tmp_path / "keypoints.csv").write_text("2")
    with pytest.raises(InputError, match=r"begun with other contents of keypoints\.csv"):
        run(out, examples=examples(False), **arguments)
    (tmp_path / "keypoints.csv").write_text("1")
    (tmp_path / "photo").write_text("22")
    with pytest.raises(InputError, match="a is new or has changed"):
        run(out, examples=examples(False), **arguments)
    run(out, examples=examples(False), resume=False, **arguments)
    store = Store(out)
    assert store.sources(1).keys() == {"photo"}
    assert store.provenance["files"].keys() == {"keypoints.csv"}


def read_path(path: Path, index: int = 0) -> Example:
    return example(index)


def test_resume_not_wanted(begun: Path, expected: dict[str, object]) -> None:
    begun.with_suffix(".log").unlink()
    assert run(begun, resume=False).resumed == 0
    assert reads(begun.with_suffix(".log")) == list(range(COUNT))
    assert_equal(begun, expected)


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def damage_last(data: bytes) -> bytes:
    return data[:-100] + bytes(100)


def damage_middle(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 30 + data[middle + 30 :]


def cut_in_header(data: bytes) -> bytes:
    return data[:40]


@pytest.mark.parametrize("damage", [cut_in_half, damage_last, damage_middle, cut_in_header])
def test_damage_is_noticed(begun: Path, expected: dict[str, object], damage: Callable[[bytes], bytes]) -> None:
    """The file is refused, or what was damaged was empty space."""
    partial = partial_path(begun)
    partial.write_bytes(damage(partial.read_bytes()))
    damaged = partial.read_bytes()
    if damage is damage_last:  # the end is empty space
        assert run(begun).resumed == 20
    else:
        with pytest.raises(InputError, match=r"a\.h5\.part (is damaged; start anew|cannot be used)"):
            run(begun)
        assert partial.read_bytes() == damaged
        partial.unlink()
        assert run(begun).resumed == 0
    assert_equal(begun, expected)


@pytest.mark.parametrize("text", [b"mine\n", b"pgen-prepare 1 {\n", b"\x00" * 100])
def test_foreign_partial_is_left_alone(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.h5.part").write_bytes(text)
    for resume in (True, False):
        with nothing_left_in(tmp_path), pytest.raises(InputError, match="move it away"):
            run(tmp_path / "a.h5", resume=resume)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    seen = []

    def second() -> Iterator[Job]:
        yield from jobs(out.with_suffix(".log"), 3)
        with pytest.raises(InputError, match="is in use by another process"):
            run(out)
        seen.append(1)

    run(out, examples=second(), train_pairs=())
    assert seen
    assert len(Store(out)) == 3


def test_what_killed_processes_left_beside_is_removed(tmp_path: Path, expected: dict[str, object]) -> None:
    for name in (".a.0123abcd.part.h5", ".ab.0123abcd.part.h5", ".a.other.part.h5", ".a.0123abcd.part.png"):
        (tmp_path / name).touch()
    run(tmp_path / "a.h5")
    kept = sorted(path.name for path in tmp_path.glob(".*"))
    assert kept == [".a.0123abcd.part.png", ".a.other.part.h5", ".ab.0123abcd.part.h5"]


def test_journal_of_a_whole_store_goes(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ResumableMap, "remove", ResumableMap.close)  # as if killed before
        run(begun)
    assert partial_path(begun).exists()
    with pytest.raises(InputError, match="exists already"):
        run(begun)
    assert not partial_path(begun).exists()


def test_overwriting_goes_on_too(begun: Path, expected: dict[str, object]) -> None:
    begun.write_bytes(b"old")
    with pytest.raises(InputError, match="pass overwrite"):
        run(begun)
    assert run(begun, overwrite=True).resumed == 20
    assert_equal(begun, expected)
