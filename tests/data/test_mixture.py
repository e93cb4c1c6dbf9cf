from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.mixture import MixedDataset, mix, parse_data
from pgen.data.store import Store, StoreWriter
from pgen.errors import InputError
from tests.data.examples import SIZE, example, write_store


def write_with_masks(path: Path) -> Path:
    """Two photos that know what is carried; the second carries something everywhere, and has a silhouette."""
    with StoreWriter(path, SIZE, source="tests") as writer:
        for index in (7, 8):
            carried = np.full(SIZE, index == 8, np.uint8)
            writer.add(replace(example(index), carried=carried, silhouette=255 * carried))
    return path


def open_parts(folder: Path, in_memory: bool | None = None) -> list[PersonDataset]:
    """Three training photos of a store without masks, and two of one with them."""
    paths = write_store(folder / "a.h5"), write_with_masks(folder / "b.h5")
    return [PersonDataset(Store(path), "train", in_memory, with_masks=True) for path in paths]


@pytest.mark.parametrize("in_memory", [True, False])
def test_people_in_any_order_are_those_of_the_parts(tmp_path: Path, in_memory: bool) -> None:
    parts = open_parts(tmp_path, in_memory)
    both = mix(parts, [0.5, 0.5])
    assert (len(both), both.size, both.is_in_memory) == (5, SIZE, in_memory)
    assert both.names == [*parts[0].names, *parts[1].names]
    assert [start for start, _ in both.list_parts()] == [0, 3]
    order = torch.tensor([4, 0, 3, 2, 0])
    expected = [(parts[0] if k < 3 else parts[1])[k if k < 3 else k - 3] for k in order.tolist()]
    persons = both.batch(order)
    for k, sample in enumerate(expected):
        assert torch.equal(persons.labels[k], sample.labels.long())
        torch.testing.assert_close(persons.poses[k], sample.pose, equal_nan=True, rtol=0, atol=0)
    extras = both.load(torch.tensor([4, 0, 3])).extras("cpu")
    assert extras.knows_carried.tolist() == [True, False, True]
    assert extras.has_silhouette.tolist() == [True, False, False]  # the other one is empty
    assert extras.carried.mean((1, 2, 3)).tolist() == [1, 0, 0]
    assert extras.silhouettes.mean((1, 2, 3)).tolist() == [1, 0, 0]
    assert not extras.is_rendered.any()


def test_synthetic_people_carry_nothing(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a.h5", SIZE, source="synthetic") as writer:
        writer.add(example(0))
    for with_masks in (True, False):
        dataset = PersonDataset(Store(tmp_path / "a.h5"), with_masks=with_masks)
        extras = dataset.load(torch.tensor([0, 0])).extras("cpu")
        assert extras.is_rendered.all()
        assert extras.knows_carried.all()
        assert not extras.carried.any()


def test_each_part_has_its_share_of_the_samples(tmp_path: Path) -> None:
    both = MixedDataset(open_parts(tmp_path), [0.8, 0.2])
    drawn = both.draw_indices(4000, torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn, minlength=5) / 4000
    torch.testing.assert_close(counts, torch.tensor([0.8 / 3] * 3 + [0.1] * 2), atol=0.03, rtol=0)
    assert torch.equal(drawn, both.draw_indices(4000, torch.Generator().manual_seed(0)))


def test_one_part_is_itself(tmp_path: Path) -> None:
    part = open_parts(tmp_path)[0]
    assert mix([part], [1.0]) is part


def test_photos_of_two_sizes_are_refused(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "small.h5", (64, 64), source="tests") as writer:
        writer.add(example(0, size=(64, 64)))
    with pytest.raises(InputError, match="different sizes"):
        mix([open_parts(tmp_path)[0], PersonDataset(Store(tmp_path / "small.h5"))], [0.5, 0.5])


@pytest.mark.parametrize(
    ("specs", "shares"),
    [
        ("a.h5", [1.0]),
        (Path("a.h5"), [1.0]),
        (["a.h5", "b.h5"], [0.5, 0.5]),
        (["a.h5", "b.h5:0.2"], [0.8, 0.2]),
        (["a.h5:0.5", "b.h5", "c.h5"], [0.5, 0.25, 0.25]),
        (["a.h5:0.75", "b.h5:0.25"], [0.75, 0.25]),
    ],
)
def test_shares(specs: str | list[str], shares: list[float]) -> None:
    found = parse_data(specs)
    assert [file.name for file in found] == ["a.h5", "b.h5", "c.h5"][: len(shares)]
    assert list(found.values()) == pytest.approx(shares)


@pytest.mark.parametrize(
    "specs",
    [[], ["a.h5:0.5"], ["a.h5:1", "b.h5"], ["a.h5:-1", "b.h5"], ["a.h5:0.7", "b.h5:0.7"], ["a.h5:nan"], ["a.h5"] * 2],
)
def test_shares_that_do_not_sum_up(specs: list[str]) -> None:
    with pytest.raises(InputError, match=r"shares|data set"):
        parse_data(specs)


def test_a_file_that_has_a_colon_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.h5:2"
    path.write_bytes(b"")
    assert parse_data(str(path)) == {path: 1.0}
