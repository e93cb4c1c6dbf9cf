from __future__ import annotations

import tracemalloc
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pgen.body.joints import FLIP_JOINTS
from pgen.body.labels import FLIP_LABELS
from pgen.body.parts import part_affines
from pgen.data.store import Store
from pgen.data.unpaired import UnpairedBatch, UnpairedBatches
from pgen.errors import InputError
from tests.data.examples import write_store

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Twelve photos of four people; those of p0 are for testing, so nine are for training."""
    return Store(write_store(tmp_path_factory.mktemp("store") / "a.h5", 12, 4))


def equal(one: UnpairedBatch, other: UnpairedBatch) -> bool:
    names = [field.name for field in fields(UnpairedBatch)]
    return all(torch.allclose(getattr(one, n).float(), getattr(other, n).float(), equal_nan=True) for n in names)


def indices(batches: UnpairedBatches) -> list[int]:
    return [int(index) for batch in map(batches.__getitem__, range(len(batches))) for index in batch.indices]


def test_a_batch_is_what_the_store_holds(store: Store) -> None:
    batch = UnpairedBatches(store, batch=6, seed=3, flip=False)[0]
    assert len(batch) == 6
    for row, (a, b) in enumerate(zip(batch.indices.tolist(), batch.target_indices.tolist(), strict=True)):
        assert store.splits[a] == store.splits[b] == "train"
        np.testing.assert_array_equal(batch.images[row].permute(1, 2, 0), store.image(a))
        np.testing.assert_array_equal(batch.labels[row], store.parsing(a))
        np.testing.assert_array_equal(batch.target_labels[row], store.parsing(b))
        np.testing.assert_array_equal(batch.poses[row], store.poses[a])
        np.testing.assert_array_equal(batch.target_poses[row], store.poses[b])
        np.testing.assert_allclose(batch.affines[row], part_affines(store.poses[a], store.poses[b]), atol=1e-3)
    assert (batch.images.dtype, batch.labels.dtype, batch.affines.dtype) == (torch.uint8, torch.uint8, torch.float32)
    source = batch.source()
    np.testing.assert_allclose(source.images, batch.images.float() / 127.5 - 1)
    assert source.labels.dtype == torch.long


def test_every_round_has_every_image_once_in_another_order(store: Store) -> None:
    seen = np.array(indices(UnpairedBatches(store, batch=3, rounds=4))).reshape(4, 9)
    for one in seen:
        assert sorted(one) == store.indices("train").tolist()
    assert len({tuple(one) for one in seen}) == 4


def test_batches_run_over_the_ends_of_rounds(store: Store) -> None:
    batches = UnpairedBatches(store, batch=4, rounds=4)
    assert len(batches) == 9
    assert np.bincount(indices(batches), minlength=12)[store.indices("train")].tolist() == [4] * 9
    with pytest.raises(IndexError):
        batches[9]


def test_the_target_is_anybody_else(store: Store) -> None:
    batches = UnpairedBatches(store, batch=9, rounds=60)
    pairs = {
        pair
        for batch in map(batches.__getitem__, range(60))
        for pair in zip(batch.indices.tolist(), batch.target_indices.tolist(), strict=True)
    }
    train = store.indices("train").tolist()
    assert pairs == {(a, b) for a in train for b in train if a != b}


def test_matches_are_the_targets_if_given(store: Store) -> None:
    matches = np.full((12, 3), -1)
    train = store.indices("train")
    matches[train, 1] = np.roll(train, 1)
    matches[train[0], 2] = train[5]
    batches = UnpairedBatches(store, batch=9, rounds=20, matches=matches)
    found: dict[int, set[int]] = {}
    for number in range(20):
        batch = batches[number]
        for a, b in zip(batch.indices.tolist(), batch.target_indices.tolist(), strict=True):
            found.setdefault(a, set()).add(b)
    assert found == {a: set(matches[a][matches[a] >= 0].tolist()) for a in train.tolist()}
    matches[train[2]] = -1
    with pytest.raises(InputError, match=store.names[train[2]]):
        UnpairedBatches(store, batch=2, matches=matches)


def test_flips_swap_left_and_right_of_both(store: Store) -> None:
    batches = UnpairedBatches(store, batch=9, rounds=8)
    seen = set()
    for batch in map(batches.__getitem__, range(8)):
        for row, (a, b) in enumerate(zip(batch.indices.tolist(), batch.target_indices.tolist(), strict=True)):
            flipped = []
            for index, labels, pose in (
                (a, batch.labels[row].numpy(), batch.poses[row].numpy()),
                (b, batch.target_labels[row].numpy(), batch.target_poses[row].numpy()),
            ):
                flipped.append(not np.array_equal(pose, store.poses[index]))
                if flipped[-1]:
                    other = store.poses[index][list(FLIP_JOINTS)]
                    np.testing.assert_array_equal(pose, np.stack([127 - other[:, 0], other[:, 1]], axis=1))
                    np.testing.assert_array_equal(labels, np.array(FLIP_LABELS)[store.parsing(index)[:, ::-1]])
                else:
                    np.testing.assert_array_equal(labels, store.parsing(index))
            image = store.image(a)[:, ::-1] if flipped[0] else store.image(a)
            np.testing.assert_array_equal(batch.images[row].permute(1, 2, 0), image)
            expected = part_affines(batch.poses[row].numpy(), batch.target_poses[row].numpy())
            np.testing.assert_allclose(batch.affines[row], expected, atol=1e-2)
            seen.add(tuple(flipped))
    assert seen == {(False, False), (False, True), (True, False), (True, True)}


def test_the_seed_decides(store: Store) -> None:
    first, again, other = (UnpairedBatches(store, batch=6, seed=seed, rounds=2) for seed in (5, 5, 6))
    assert equal(first[2], again[2])  # asked for out of order
    assert equal(first[0], again[0])
    assert not equal(first[0], other[0])
    assert not equal(first[0], first[1])


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_the_batches_of_one(store: Store, world: int) -> None:
    whole = UnpairedBatches(store, batch=6, rounds=2)
    parts = [UnpairedBatches(store, batch=6, rounds=2, rank=rank, world=world) for rank in range(world)]
    for number in range(len(whole)):
        one, shares = whole[number], [part[number] for part in parts]
        assert all(len(part) == len(whole) for part in parts)
        for field in fields(UnpairedBatch):
            joined = torch.stack([getattr(share, field.name) for share in shares], 1).flatten(0, 1)
            torch.testing.assert_close(joined, getattr(one, field.name), equal_nan=True)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loader_with_workers_gives_the_same_in_the_same_order(store: Store, method: str) -> None:
    batches = UnpairedBatches(store, batch=3, seed=1, rounds=3)
    expected = [batches[number] for number in range(len(batches))]  # the store is open here, and forked so
    loader = DataLoader(batches, batch_size=None, num_workers=2, multiprocessing_context=method)
    found = list(loader)
    assert all(isinstance(batch, UnpairedBatch) for batch in found)
    assert len(found) == len(expected)
    assert all(equal(one, other) for one, other in zip(found, expected, strict=True))


def test_loader_goes_on_from_a_step(store: Store) -> None:
    batches = UnpairedBatches(store, batch=3, rounds=3)
    found = list(DataLoader(batches, batch_size=None, sampler=range(5, len(batches))))
    assert len(found) == 4
    assert equal(found[0], batches[5])


def test_wrong_arguments(store: Store, tmp_path: Path) -> None:
    for wrong in ({"batch": 3, "world": 2}, {"batch": 2, "rank": 2, "world": 2}, {"batch": 0}):
        with pytest.raises(ValueError, match="share"):
            UnpairedBatches(store, **wrong)
    with pytest.raises(InputError, match="too few to pair"):
        UnpairedBatches(Store(write_store(tmp_path / "b.h5", 3, 2)), batch=2)


def test_to_a_device(store: Store) -> None:
    batch = UnpairedBatches(store, batch=2)[0]
    assert equal(batch.to("cpu"), batch)
    assert batch.to("meta").affines.device.type == "meta"


def test_only_a_batch_is_in_memory(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path / "a.h5", 80, 4))
    batches = UnpairedBatches(store, batch=4, rounds=2)
    batches[0]
    tracemalloc.start()
    for number in range(len(batches)):
        batches[number]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * store.image(0).nbytes  # three for each sample, and copies; all would be 60
