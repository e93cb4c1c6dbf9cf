"""The file of a store, opened; or why it cannot be."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pgen.data.inputs import read_start
from pgen.data.store_writer import FORMAT, VERSION
from pgen.errors import InputError
from pgen.version import version


def name_beside(store: Path, suffix: str) -> Path:
    """A file that belongs to ``store``: with ``suffix`` instead of .h5, or else behind its whole name."""
    return store.with_name(store.name.removesuffix(".h5") + suffix)


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is a file that begins like HDF5."""
    return read_start(path, 8) == b"\x89HDF\r\n\x1a\n"


def open_store(path: Path) -> h5py.File:
    """The HDF5 file ``path``, opened for reading. Raises `InputError` that says why it cannot be."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, not an HDF5 store")
    if not path.exists():
        raise InputError(f"{path} does not exist; prepare the data first")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    if not is_hdf5(path):
        raise InputError(f"{path} is not an HDF5 store; prepare the data first")
    try:
        # A store never changes once it has its name, so no lock is needed; locks fail on some network disks.
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise InputError(f"{path} {_explain_failure(error)}") from error


def _explain_failure(error: OSError) -> str:
    """Why HDF5 does not open a file: it says so in words alone."""
    reason = to_one_line(error)
    if any(sign in reason for sign in ("already open", "unable to lock", "locking flag values")):
        return (
            "is open for writing in another program; close it there (if it was left so by a program that has died, "
            "h5clear -s mends it)"
        )
    number = re.search(r"errno = (\d+)", reason)
    if number is not None:
        return f"cannot be read: {os.strerror(int(number[1]))}"
    what = "is cut short" if "truncated file" in reason else "is damaged"
    return f"{what}: {reason}; copy or prepare it again"


def check_format(path: Path, file: h5py.File) -> None:
    """Raises `InputError` if ``file`` is no store, or one of another version."""
    if to_text(file.attrs.get("format")) != FORMAT:
        raise InputError(f"{path} is an HDF5 file, but not a store of this package; prepare the data first")
    found = file.attrs.get("version")
    if found != VERSION:
        older = isinstance(found, (int, np.integer)) and found < VERSION
        remedy = "prepare the data again" if older else "update pgen or prepare the data again"
        raise InputError(f"{path} has the store version {found}, and this pgen ({version()}) reads {VERSION}; {remedy}")


def refuse_foreign_parts(path: Path, group: h5py.Group, depth: int = 1) -> None:
    """Refuse a file parts of which lie elsewhere: where they do it says itself, so that it could show any file."""
    for name in group:
        link = group.get(name, getlink=True)
        part = group[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(part, h5py.Dataset) and not part.is_virtual and not part.external:
            continue
        if not isinstance(part, h5py.Group) or not depth:
            raise InputError(f"{path}: {name} is no data of this file but elsewhere; prepare the data again")
        refuse_foreign_parts(path, part, depth - 1)


def to_text(value: Any) -> Any:
    """An attribute that may be bytes, as text."""
    return value.decode() if isinstance(value, bytes) else value


def to_one_line(error: Exception) -> str:
    """What ``error`` says, on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
