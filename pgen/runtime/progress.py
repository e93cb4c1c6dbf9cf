"""How work shows its progress to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

#: A context manager for a title and a total, None if it is not known, that yields what advances it.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]


@contextmanager
def show_nothing(title: str, total: int | None) -> Iterator[Callable[..., None]]:
    """No progress."""
    yield lambda *_: None
