"""Which annotations belong to which photo, where several photos are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pgen.errors import InputError


def for_each(given: Sequence[str], sources: Sequence[str], flag: str) -> Sequence[str | None]:
    """One of ``given`` for each source: the only one for all, or in their order; None for each if none is given.

    Raises `InputError` naming ``flag`` for any other number.
    """
    if len(given) <= 1:
        return [*given, None][:1] * len(sources)
    if len(given) != len(sources):
        raise InputError(
            f"{flag} is given {len(given)} times for {len(sources)} photos; give it once, or once for each"
        )
    return given


def parsing_of(source: str, parsing: str, flag: str) -> str:
    """The map of ``source``: ``parsing``, or the file or entry in it that is called like the photo.

    Raises `InputError` naming ``flag`` if a folder has none.
    """
    from pgen.data.inputs import split_spec
    from pgen.data.store import is_hdf5

    path, entry = split_spec(parsing)
    if entry is not None:
        return parsing
    photo, own = split_spec(source)
    name = Path(own or photo.name)
    if is_hdf5(path):
        return f"{path}:{own or name}"
    if not path.is_dir():
        return parsing
    for suffix in (".npy", ".png"):
        if (path / f"{name.stem}{suffix}").is_file():
            return str(path / f"{name.stem}{suffix}")
    raise InputError(f"{flag} {path}: the folder has neither {name.stem}.npy nor {name.stem}.png")
