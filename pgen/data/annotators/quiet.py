"""Keeping what libraries print on stderr, below Python, from the user."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence_native_output() -> Iterator[None]:
    """Discard what native code prints on stderr meanwhile, and warnings. What Python prints there still arrives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shown = os.dup(2)
        except OSError:  # closed
            yield
            return
        python = sys.stderr
        own = _is_native(python)
        if own:
            python.flush()
            sys.stderr = os.fdopen(os.dup(shown), "w", buffering=1, encoding="utf-8", errors="replace")
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        os.close(sink)
        try:
            yield
        finally:
            os.dup2(shown, 2)
            os.close(shown)
            if own:
                sys.stderr.close()
                sys.stderr = python


def _is_native(stream: object) -> bool:
    try:
        return stream.fileno() == 2  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
