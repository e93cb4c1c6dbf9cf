from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Networks this small are only slowed down by more threads."""
    torch.set_num_threads(1)
