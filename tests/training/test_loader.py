from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.mixture import mix
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.loop import train
from pgen.training.run import RunConfig
from tests.training.people import write_people
from tests.training.stages import builder
from tests.training.tasks.test_parser import write_photos
from tests.training.toy import quiet, same_tensors


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people") / "people.h5")


def from_file(dataset: PersonDataset) -> PersonDataset:
    """The same people, read from the file one by one."""
    other = copy.copy(dataset)
    other._stored = None
    return other


@pytest.mark.parametrize("name", ["semantic", "parser"])
def test_weights_do_not_depend_on_workers_nor_on_where_photos_lie(store: Path, tmp_path: Path, name: str) -> None:
    """Bit by bit; and a run that is resumed with other workers is as if it had never stopped."""
    build = builder(store)
    settings = ("schedule.batch=4", "schedule.accumulate=2", "schedule.validate_every=9")
    finished = train(build(name, *settings), RunConfig(tmp_path / "none", {}, workers=0), quiet)
    for stop in (2, None):
        task: Any = build(name, *settings)
        task.train = from_file(task.train)
        workers = 2 if stop else 1
        run = RunConfig(tmp_path / "some", {}, workers=workers, max_steps=stop, resume=stop is None)
        other = train(task, run, quiet)
    assert same_tensors(finished, other)


def test_steps_are_those_of_their_numbers_and_shared_by_all_processes(store: Path) -> None:
    task: Any = builder(store)("semantic", "schedule.batch=8", "schedule.accumulate=2")
    whole = list(load_steps(task, 3, range(4), ProcessGroup()))
    later = list(load_steps(task, 3, range(2, 4), ProcessGroup()))
    assert [step.names for step in whole[2:]] == [step.names for step in later]
    halves = [list(load_steps(task, 3, range(4), ProcessGroup(rank=rank, world=2))) for rank in (0, 1)]
    for step, *both in zip(whole, *halves, strict=True):
        assert {half.names for half in both} == {step.names}
        for k, part in enumerate(step.parts):
            assert part.names == both[0].parts[k].names + both[1].parts[k].names
            for role in ("source", "target"):
                found = torch.cat([half.parts[k].photos[role].images for half in both])
                assert torch.equal(found, part.photos[role].images)
                expected = task.train.batch(getattr(part, role)).images
                assert torch.equal(part.persons(role).images, expected)


@pytest.mark.parametrize("workers", [0, 1])
def test_photos_that_cannot_be_read_are_told_in_a_line(store: Path, workers: int) -> None:
    task: Any = builder(store)("pose")
    with Store(store) as opened:
        task.train = PersonDataset(opened, in_memory=False)
    task.train.store.path = store.with_name("gone.h5")
    with pytest.raises(InputError, match=r"^\S+gone.h5 does not exist[^\n]*$"):
        list(load_steps(task, 0, range(3), ProcessGroup(), workers))


def test_masks_of_several_files_do_not_depend_on_workers(store: Path, tmp_path: Path) -> None:
    files = [Store(file) for file in (store, write_photos(tmp_path / "photos.h5"))]
    parts = [PersonDataset(file, in_memory=k > 0, with_masks=True) for k, file in enumerate(files)]
    task: Any = builder(store)("parser", "schedule.batch=8")
    task.train = mix(parts, [0.5, 0.5])
    runs = [list(load_steps(task, 5, range(3), ProcessGroup(), workers)) for workers in (0, 1, 2)]
    known = []
    for steps in zip(*runs, strict=True):
        first, *others = (step.parts[0].photos["source"] for step in steps)
        known += first.extras("cpu").knows_carried.tolist()
        for other in others:
            torch.testing.assert_close(vars(other), vars(first), equal_nan=True, rtol=0, atol=0)
    assert 0 < sum(known) < len(known)
