"""Folders that commands write into, made as they are needed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pgen.errors import InputError

_made: list[Path] = []


def default_store(name: str) -> Path:
    """Where the data set ``name`` is prepared to: datasets/NAME.h5, in a folder that is made if need be."""
    return make_folder(Path("datasets")) / f"{name}.h5"


def make_folder(out: Path) -> Path:
    """The folder ``out``, made if it is not there, and removed if nothing is in it when the command ends."""
    is_there = out.is_dir()
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} cannot be made ({error.strerror}); name a file or folder", option="out") from None
    if not is_there:
        _made.append(out.absolute())
    return out


def remove_empty_folders() -> None:
    """Remove the folders that `make_folder` has made since, and in which there is nothing: the command has failed."""
    while _made:
        with suppress(OSError):  # something is in it
            _made.pop().rmdir()
