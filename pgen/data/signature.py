"""A short text that distinguishes a piece of work from any other, the same in every run."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np


def sign(value: Any) -> str:
    """32 hexadecimal digits that stand for ``value``.

    ``value`` is made of dataclasses, mappings, sequences, sets, arrays, texts, numbers, functions (which count by
    name) and paths, which count with the size and time of the file, if there is one: then it is another after the file
    has been written again.
    """
    digest = hashlib.blake2b(digest_size=16)
    _add_value(digest, value)
    return digest.hexdigest()


def _add_value(digest: hashlib.blake2b, value: Any) -> None:
    """Add ``value`` with its kind and length, so that no two values run into the same bytes."""
    if isinstance(value, np.ndarray):
        _add(digest, f"array {value.dtype.str} {value.shape}", np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Path):
        _add(digest, "path", str(value).encode("utf-8", "surrogateescape"))
        try:
            found = value.stat()
        except (OSError, ValueError):
            return
        if stat.S_ISREG(found.st_mode):
            _add(digest, "file", f"{found.st_size} {found.st_mtime_ns}".encode())
    elif is_dataclass(value) and not isinstance(value, type):
        _add(digest, "dataclass", type(value).__qualname__.encode())
        for field in fields(value):
            _add_value(digest, getattr(value, field.name))
    elif isinstance(value, Mapping):
        _add(digest, "mapping", str(len(value)).encode())
        for key, item in value.items():
            _add_value(digest, key)
            _add_value(digest, item)
    elif isinstance(value, (list, tuple)):
        _add(digest, "sequence", str(len(value)).encode())
        for item in value:
            _add_value(digest, item)
    elif isinstance(value, (set, frozenset)):
        _add_value(digest, sorted(sign(item) for item in value))
    elif callable(value):
        _add(digest, "callable", f"{value.__module__}.{value.__qualname__}".encode())
    else:
        _add(digest, type(value).__name__, repr(value).encode("utf-8", "surrogateescape"))


def _add(digest: hashlib.blake2b, kind: str, data: bytes) -> None:
    digest.update(f"{kind} {len(data)} ".encode())
    digest.update(data)
