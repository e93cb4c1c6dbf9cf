from __future__ import annotations

import os
import sys

import pytest
import torch


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
