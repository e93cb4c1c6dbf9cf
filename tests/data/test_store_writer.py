from __future__ import annotations

import errno
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pgen.data.example import Example
from pgen.data.store import Store, StoreWriter
from pgen.errors import InputError, PgenError
from pgen.pseudo_labels.matches import write_pseudo_labels
from tests.data.examples import SIZE, assert_same, example, nothing_left_in, write_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_store(tmp_path / "a.h5")


def test_writer_checks_what_it_is_given(tmp_path: Path) -> None:
    def changed(**fields: object) -> Example:
        return Example(**{**vars(example(1)), **fields})  # type: ignore[arg-type]

    wrong = [
        changed(image=np.zeros((4, 4, 3), np.uint8)),
        changed(image=example(1).image.astype(float)),
        changed(parsing=np.zeros((4, 4), np.uint8)),
        changed(parsing=np.full(SIZE, 10, np.uint8)),
        changed(pose=np.zeros((17, 2), np.float32)),
        changed(split="val"),
        changed(name="000.png"),
    ]
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        writer.add(example(0))
        for one in wrong:
            with pytest.raises(ValueError, match=one.name):
                writer.add(one)
        with pytest.raises(ValueError, match="outside 0-0"):
            writer.set_pairs("test", [(0, 1)])
    assert len(Store(tmp_path / "a.h5")) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with nothing_left_in(tmp_path), pytest.raises(error):  # noqa: SIM117, PT012
        with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
            for index in range(70):
                writer.add(example(index))
            raise error


def test_existing_store_is_kept(path: Path) -> None:
    with nothing_left_in(path.parent), pytest.raises(InputError, match="pass overwrite"):  # noqa: SIM117
        with StoreWriter(path, SIZE, source="tests"):
            pytest.fail("must refuse before the work")
    write_again = StoreWriter(path, SIZE, source="tests", overwrite=True)
    with write_again:
        write_again.add(example(9))
    assert Store(path).names == ["009.png"]


def test_memory_stays_flat_while_writing(tmp_path: Path) -> None:
    one = example(0)
    tracemalloc.start()
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        for index in range(500):
            writer.add(Example(**{**vars(one), "name": str(index), "image": one.image.copy()}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * one.image.nbytes  # a block of 64 and its copies; all would be 500


def test_pseudo_labels_are_added_and_replaced(path: Path) -> None:
    assert Store(path).pseudo_labels() is None
    before = [Store(path).example(index) for index in range(6)]
    write_pseudo_labels(path, np.full((6, 3), -1))
    (path.parent / ".a.0123abcd.part.h5").touch()  # of one that was killed
    matches = np.arange(24).reshape(6, 4) % 6
    write_pseudo_labels(path, matches, {"nearest": 4})
    store = Store(path)
    labels = store.pseudo_labels()
    assert labels is not None
    np.testing.assert_array_equal(labels.matches, matches)
    assert (labels.matches.dtype, labels.options) == (np.int32, {"nearest": 4})
    for index, one in enumerate(before):
        assert_same(store.example(index), one)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.h5"]


@pytest.mark.parametrize(
    "matches", [np.zeros((5, 2), int), np.zeros(6, int), np.zeros((6, 2)), np.full((6, 1), 6), np.full((6, 1), -2)]
)
def test_pseudo_labels_that_do_not_fit(path: Path, matches: np.ndarray) -> None:
    with nothing_left_in(path.parent), pytest.raises(ValueError, match="match"):
        write_pseudo_labels(path, matches)


def test_pseudo_labels_appear_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pseudo_labels(path, np.zeros((6, 1), int))
    held = Store(path)
    held.image(0)
    with monkeypatch.context() as patched, nothing_left_in(path.parent):
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(PgenError, match="no space left"):
            write_pseudo_labels(path, np.ones((6, 1), int))
    write_pseudo_labels(path, np.ones((6, 1), int))
    labels = held.pseudo_labels()  # one who has the file open keeps what was there
    assert labels is not None
    assert not labels.matches.any()
