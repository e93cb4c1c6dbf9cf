"""One seed for all random numbers of a process."""

from __future__ import annotations


def seed_everything(seed: int) -> None:
    """Make all random numbers of this process repeatable: Python's, NumPy's and torch's."""
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (libraries draw from it)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
