"""Which annotations belong to which photo, where several photos are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pgen.cli.options import flag_of
from pgen.errors import InputError


def assign_files(given: Sequence[str] | None, sources: Sequence[str], option: str) -> Sequence[str | None]:
    """One of ``given`` for each source: the only one for all, or in their order; None for each if none is given."""
    if not given or len(given) == 1:
        return [given[0] if given else None] * len(sources)
    if len(given) != len(sources):
        raise InputError(
            f"{flag_of(option)} is given {len(given)} times for {len(sources)} photos; give it once, or once for each"
        )
    return given


def find_parsing_of(source: str, parsing: str, option: str) -> str:
    """The map of ``source``: ``parsing``, or the file or entry in it that is called like the photo."""
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
    raise InputError(f"{path}: the folder has neither {name.stem}.npy nor {name.stem}.png", option=option)
