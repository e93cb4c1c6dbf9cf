"""Outputs that could not be written are refused before any work is done."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pgen.cli.options import flag_of
from pgen.cli.result_files import choose_name, is_picture, more_than_one
from pgen.errors import InputError

#: What is written as no picture of any kind, by option.
_SUFFIXES = {"gif": ".gif", "save_parsing": ".png"}


def check_pictures(overwrite: bool, folder: Path | None = None, **files: Path | None) -> None:
    """Refuse, before any work, files of pictures, by option, that could not be written in the end.

    ``folder`` is --out where that may be a folder of results, which is checked when these are known.
    """
    from pgen.data.formats.images import check_picture_suffix
    from pgen.runtime.atomic_write import check_output

    given = {option: file for option, file in files.items() if file is not None}
    if not given and folder is None:
        raise InputError(f"nowhere to write to: give {' or '.join(map(flag_of, dict.fromkeys(('out', *files))))}")
    for option, file in given.items():
        if option not in _SUFFIXES:
            check_picture_suffix(file, option)
        elif file.suffix.lower() != _SUFFIXES[option]:
            raise InputError(f"{file}: name it {file.stem or 'out'}{_SUFFIXES[option]}", option=option)
        if file.parent != folder:  # else it is not there yet
            check_output(file, overwrite)
    _check_names_differ(**({"out": folder, **given} if folder is not None else given))


def check_batch(
    sources: Sequence[str], out: Path | None, sheet: Path | None, gif: Path | None, overwrite: bool, keep_going: bool
) -> None:
    """Refuse an animation of several ``sources``, and to ``keep_going`` where all results are needed at once."""
    if gif is not None and len(sources) > 1:
        raise InputError(f"{gif}: an animation is of one photo; give one SRC", option="gif")
    if keep_going and (overwrite or out is None or sheet is not None or gif is not None):
        why = "results that are there are left out; give --out, and no --force, --sheet or --gif"
        raise InputError(why, option="keep_going")


def check_pages(overwrite: bool, **files: Path) -> None:
    """Refuse, before any work, files of scores, by option, that could not be written; the sheet alone is a picture."""
    from pgen.data.formats.images import check_picture_suffix
    from pgen.runtime.atomic_write import check_output

    for option, file in files.items():
        if option == "sheet":
            check_picture_suffix(file, option)
        check_output(file, overwrite)
    _check_names_differ(**files)


def _check_names_differ(**files: Path) -> None:
    """Refuse outputs, by option, of which one would be written over another."""
    if len({os.path.realpath(file) for file in files.values()}) < len(files):
        names = " and ".join(f"{flag_of(option)} {file}" for option, file in files.items())
        raise InputError(f"{names} are one file; give each a name of its own")


def check_results(out: Path | None, sources: Sequence[str], targets: Sequence[str], overwrite: bool) -> None:
    """Refuse, before any work, an ``out`` that cannot hold results of all ``sources`` and ``targets``.

    What is in a folder is looked at for photos and bundled poses alone: videos and stores tell their names later.
    """
    from pgen.data.formats.images import check_picture_suffix
    from pgen.data.scan import PHOTO_SUFFIXES
    from pgen.runtime.atomic_write import check_output

    if out is None:
        return
    if str(out) == "-":
        raise InputError("results are not written to standard output; name a file or folder", option="out")
    count = len(sources) * len(targets)
    plain = [[Path(name) for name in names if _is_plain(name, PHOTO_SUFFIXES)] for names in (sources, targets)]
    if is_picture(out):
        if count > 1:
            raise more_than_one(out, count)
        check_output(out, overwrite)
    elif not out.is_dir():
        if out.suffix and count == len(plain[1]) == 1:
            check_picture_suffix(out, "out")
        check_output(out)
    else:
        taken: set[str] = set()
        for source in plain[0]:
            for target in plain[1]:
                check_output(out / f"{choose_name(source.name, target.name, taken)}.png", overwrite)


def _is_plain(name: str, suffixes: Collection[str]) -> bool:
    """Whether a source or target is a photo or a bundled pose, called as ``name`` says."""
    path = Path(name)
    return path.suffix.lower() in suffixes if path.is_file() else not (path.exists() or set(name) & set("/.:#"))
