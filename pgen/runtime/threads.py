"""Threads for work on many small tensors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def thread_pool() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch would use, each of which computes by itself.

    Sharing out every small operation costs more than it gains, and much more while the processors are busy.
    """
    count = torch.get_num_threads()
    pool = ThreadPoolExecutor(count)
    torch.set_num_threads(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(count)
