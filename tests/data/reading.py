"""What a process that was started for a test does with a store; by itself, as it imports what is here."""

from __future__ import annotations

import multiprocessing

from pgen.data.store import Store


def read_in_child(store: Store, index: int, results: multiprocessing.Queue) -> None:
    results.put(store.image(index).sum())
