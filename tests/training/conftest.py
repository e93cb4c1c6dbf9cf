from __future__ import annotations

import os
import sys

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.store import Store
from tests.training.people import draw_nothing, write_people


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Networks this small are only slowed down by more threads."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """That matters only when the machine fails."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def no_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds to import."""
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)


@pytest.fixture(autouse=True)
def plain_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them takes most of the time of a training of a few steps."""
    monkeypatch.setattr("pgen.training.run.draw_curves", draw_nothing)


@pytest.fixture(scope="session")
def samplers(tmp_path_factory: pytest.TempPathFactory) -> tuple[PersonDataset, PersonDataset]:
    """The people to train on and those held out."""
    with Store(write_people(tmp_path_factory.mktemp("people") / "people.h5")) as store:
        return PersonDataset(store, "train"), PersonDataset(store, "test")
