from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pgen.data.dataset import Augmentation, PersonDataset
from pgen.data.store import Store
from pgen.training.config import Schedule
from pgen.training.sampling import SampledPairs, SampledPhotos, sample_noise, sample_pairs, sample_photos
from tests.training.people import write_people

SCHEDULE = Schedule(batch=12, zoom=0.2)


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> PersonDataset:
    with Store(write_people(tmp_path_factory.mktemp("people") / "people.h5")) as store:
        return PersonDataset(store, "train")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def matches_of(train: PersonDataset) -> Tensor:
    return torch.stack([(torch.arange(len(train)) + k) % len(train) for k in (3, 5)], 1)


def columns(draw: SampledPhotos | SampledPairs) -> list[Tensor]:
    """All tensors of a draw."""
    found = [value for value in vars(draw).values() if isinstance(value, Tensor)]
    changes = [value for value in vars(draw).values() if isinstance(value, Augmentation)]
    return found + [tensor for change in changes for tensor in vars(change).values()]


@pytest.mark.parametrize("count", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", ["noisy", "pairs"])
def test_the_parts_are_the_whole(train: PersonDataset, kind: str, count: int) -> None:
    if kind == "noisy":
        whole: SampledPhotos | SampledPairs = sample_photos(train, SCHEDULE, seeded())
    else:
        whole = sample_pairs(train, matches_of(train), SCHEDULE, seeded(), 0.5)
    parts = [whole.part(k, count) for k in range(count)]
    assert len(whole) == 12
    assert {len(part) for part in parts} == {12 // count}
    assert sum((part.names for part in parts), ()) == whole.names
    joined = [torch.cat(tensors) for tensors in zip(*map(columns, parts), strict=True)]
    assert len(joined) == {"noisy": 6, "pairs": 12}[kind]
    assert all(torch.equal(a, b) for a, b in zip(joined, columns(whole), strict=True))


@pytest.mark.parametrize(("index", "count"), [(0, 5), (2, 2), (-1, 2)])
def test_parts_that_there_are_not(train: PersonDataset, index: int, count: int) -> None:
    with pytest.raises(ValueError, match=rf"no part {index} of {count} of 12 samples"):
        sample_photos(train, SCHEDULE, seeded()).part(index, count)


def test_a_draw_is_its_generator_s(train: PersonDataset) -> None:
    first, again, other = (sample_pairs(train, matches_of(train), SCHEDULE, seeded(seed), 0.5) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(columns(first), columns(again), strict=True))
    assert not torch.equal(first.source, other.source)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_targets_are_pseudo_labels_or_anyone(train: PersonDataset, share: float) -> None:
    matches = matches_of(train)
    draw = sample_pairs(train, matches, Schedule(batch=200), seeded(), share)
    assert abs(draw.has_random_pose.float().mean().item() - share) < 0.1
    is_match = (matches[draw.source] == draw.target[:, None]).any(1)
    assert is_match[~draw.has_random_pose].all()
    assert is_match[draw.has_random_pose].float().sum() < 0.2 * 200
    assert set(draw.source.tolist()) == set(range(len(train)))
    name = f"{train.names[int(draw.source[7])]} → {train.names[int(draw.target[7])]}"
    assert draw.names[7] == name


def test_noise_belongs_to_its_sample() -> None:
    seeds = torch.tensor([5, 2**61, 5])
    noise = sample_noise(torch.empty(3, 3, 32, 32), seeds)
    assert torch.equal(noise[0], noise[2])
    assert not torch.equal(noise[0], noise[1])
    assert torch.equal(sample_noise(torch.empty(1, 3, 32, 32), seeds[1:2])[0], noise[1])
    assert abs(noise.std().item() - 1) < 0.05
