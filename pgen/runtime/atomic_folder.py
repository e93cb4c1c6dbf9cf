"""Output folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgen.errors import InputError


@contextmanager
def atomic_folder(out: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that takes its place at the end, or is removed if the block raises.

    With ``overwrite`` the files go into an ``out`` that exists, over those of the same names; others there are kept.
    Raises `InputError` if ``out`` is a file or exists without ``overwrite``, or if it cannot be made.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder", option="out")
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists already; name another folder, or write into it", option="overwrite")
    aside = out.absolute().with_name(f".{out.name}.{os.getpid()}.part")
    try:
        aside.mkdir()
    except OSError as error:
        raise InputError(f"{out}: the folder cannot be made: {error.strerror}", option="out") from None
    try:
        yield aside
        if out.exists():
            for file in sorted(aside.iterdir()):
                file.replace(out / file.name)
        else:
            aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
