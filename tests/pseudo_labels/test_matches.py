"""Pseudo labels in a store: written, read, made for it, and found by a training."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.errors import InputError, PgenError
from pgen.pseudo_labels import matches as module
from pgen.pseudo_labels.matches import load_training_matches, make_pseudo_labels, write_pseudo_labels
from pgen.pseudo_labels.varied_search import find_matches

torch.set_num_threads(1)

COUNT = 36


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 views of 18 people; every third person is for testing."""
    path = tmp_path_factory.mktemp("people") / "a.h5"
    with StoreWriter(path, (48, 48), source="tests") as writer:
        for k in range(COUNT):
            split = "test" if k // 2 % 3 == 1 else "train"
            writer.add(synthetic_example(11, k // 2, k % 2, (48, 48), split=split))
    return path


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path))


def test_written_labels_are_read_and_replaced(path: Path) -> None:
    assert Store(path).pseudo_labels() is None
    for width in (3, 1):
        matches = np.arange(COUNT * width).reshape(COUNT, width) % COUNT - 1
        write_pseudo_labels(path, matches, {"kind": "mine", "width": width})
        found = Store(path).pseudo_labels()
        assert found is not None
        assert np.array_equal(found.matches, matches)
        assert found.matches.dtype == np.int32
        assert found.options == {"kind": "mine", "width": width}
    with Store(path) as store:  # the rest is as it was
        assert len(store) == COUNT
        assert store.parsing(COUNT - 1).any()
    assert [file.name for file in path.parent.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("matches", [np.zeros((3, 1), int), np.full((COUNT, 1), COUNT), np.zeros((COUNT, 1)), [[-2]]])
def test_what_does_not_fit_is_refused(path: Path, matches: object) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="match"):
        write_pseudo_labels(path, matches)  # type: ignore[arg-type]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage", [np.zeros((COUNT, 2)), np.zeros((2, 2), np.int32), np.full((COUNT, 2), 99, np.int32)]
)
def test_damaged_labels_are_told(path: Path, damage: np.ndarray) -> None:
    with h5py.File(path, "r+") as file:
        file["pseudo_labels"] = damage
        file["pseudo_labels"].attrs["options"] = "{}"
    with pytest.raises(InputError, match=r"a\.h5 is damaged: .*make them again"):
        Store(path).pseudo_labels()


def test_labels_without_options_are_damaged(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["pseudo_labels"] = np.zeros((COUNT, 2), np.int32)
    with pytest.raises(InputError, match=r"a\.h5 is damaged"):
        Store(path).pseudo_labels()


def test_made_for_training_images_only(path: Path) -> None:
    made = make_pseudo_labels(path, 3)
    stored = Store(path).pseudo_labels()
    assert stored is not None
    assert np.array_equal(stored.matches, made.matches)
    assert stored.options["kind"] == "nearest"
    store = Store(path)
    train, test = store.indices("train"), store.indices("test")
    assert (stored.matches[test] == -1).all()
    assert np.isin(stored.matches[train], train).all()
    persons = np.array(store.persons)
    assert (persons[stored.matches[train]] != persons[train][:, None]).all()


def test_a_training_uses_what_was_prepared(path: Path) -> None:
    make_pseudo_labels(path, 3)
    before = path.read_bytes()
    store = Store(path)
    train = PersonDataset(store)
    matches, origin = load_training_matches(store, train, nearest=4, turned=2, seed=0)
    assert path.read_bytes() == before
    assert "nearest, 3 each" in origin
    stored = Store(path).pseudo_labels()
    assert stored is not None
    assert matches.dtype == np.int64
    assert np.array_equal(train.indices[matches], stored.matches[train.indices])


def test_a_training_makes_its_own_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path)
    train = PersonDataset(store)
    first, origin = load_training_matches(store, train, 2, 1, seed=0)
    assert np.array_equal(first, find_matches(train, 2, 1, seed=0))
    assert "kept in" in origin
    with monkeypatch.context() as patched:
        patched.setattr(module, "find_matches", None)
        again, origin = load_training_matches(Store(path), train, 2, 1, seed=0)
        assert np.array_equal(again, first)
        assert "varied, 3 each" in origin
    other, origin = load_training_matches(Store(path), train, 2, 1, seed=1)
    assert "kept in" in origin
    assert not np.array_equal(other, first)


def test_a_training_leaves_the_data_as_they_are(path: Path) -> None:
    before = path.read_bytes()
    load_training_matches(Store(path), PersonDataset(Store(path)), 2, 1, seed=0)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.h5", "a.pseudo-labels.npz"]


def test_a_training_does_without_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PgenError("no space left")

    monkeypatch.setattr("pgen.pseudo_labels.kept_matches.atomic_write", refuse)
    store = Store(path)
    matches, origin = load_training_matches(store, PersonDataset(store), 2, 0, seed=0)
    assert matches.shape == (24, 2)
    assert origin == "pseudo labels made"  # without a word of blame


def test_what_is_kept_of_another_store_or_damaged_is_not_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path)
    load_training_matches(store, PersonDataset(store), 2, 1, seed=0)
    kept = path.with_name("a.pseudo-labels.npz")
    whole = kept.read_bytes()
    monkeypatch.setattr(store, "provenance", store.provenance | {"created": "later"})
    assert "made and kept" in load_training_matches(store, PersonDataset(store), 2, 1, seed=0)[1]
    kept.write_bytes(whole[:100])  # no file of this kind, so it is left as it is
    assert load_training_matches(store, PersonDataset(store), 2, 1, seed=0)[1] == "pseudo labels made"
    assert kept.read_bytes() == whole[:100]


def test_labels_that_leave_a_training_image_out_are_made_anew(path: Path) -> None:
    made = make_pseudo_labels(path, 2).matches.copy()
    store = Store(path)
    train = PersonDataset(store)
    made[train.indices[5], 1] = -1  # one of two is enough
    write_pseudo_labels(path, made, {"kind": "nearest"})
    matches, _ = load_training_matches(Store(path), train, 1, 0, seed=0)
    assert matches.shape == (24, 2)
    assert matches[5, 0] == matches[5, 1]
    made[train.indices[5]] = -1
    write_pseudo_labels(path, made, {"kind": "nearest"})
    matches, origin = load_training_matches(Store(path), train, 1, 0, seed=0)
    assert matches.shape == (24, 1)
    assert "made" in origin


def test_no_training_images(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a.h5", (48, 48), source="tests") as writer:
        writer.add(synthetic_example(11, 0, 0, (48, 48), split="test"))
    with pytest.raises(InputError, match=r"a\.h5: no train images"):
        make_pseudo_labels(tmp_path / "a.h5", 1)
