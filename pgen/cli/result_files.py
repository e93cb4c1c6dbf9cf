"""What results are called, and where they go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Option

from pgen.cli.folders import make_folder
from pgen.data.inputs import check_apart
from pgen.errors import InputError

Sheet = Annotated[Path | None, Option(help="Also draw what results were made from.", metavar="FILE")]


def find_output_files(
    out: Path | None,
    sources: Sequence[str],
    targets: Sequence[str],
    overwrite: bool,
    sheet: Path | None,
    read: Sequence[object] = (),
) -> list[list[Path | None]]:
    """Where each result goes, by source and target; None without ``out``. Makes the folder that holds several.

    Raises `InputError` if ``out`` cannot hold them, or if one of them, or ``sheet``, exists and may not be overwritten,
    or is one of the files that are ``read``.
    """
    from pgen.data.formats.images import check_picture_suffix
    from pgen.runtime.atomic_write import check_output

    count = len(sources) * len(targets)
    if out is None:
        return [[None] * len(targets) for _ in sources]
    if count == 1 and not out.is_dir() and out.suffix:
        check_picture_suffix(out, "out")
        check_output(out, overwrite)
        return [[out]]
    if is_picture(out):
        raise more_than_one(out, count)
    taken: set[str] = set()
    make_folder(out)
    files: list[list[Path | None]] = [
        [out / f"{choose_name(source, target, taken)}.png" for target in targets] for source in sources
    ]
    check_apart((file for row in files for file in row), read)
    for file in (*(file for row in files for file in row), sheet):
        if file is not None:
            check_output(file, overwrite)
    return files


def is_picture(out: Path) -> bool:
    """Whether ``out`` is called like a picture, and is no folder."""
    from pgen.data.formats.images import PICTURE_SUFFIXES

    return out.suffix.lower() in PICTURE_SUFFIXES and not out.is_dir()


def more_than_one(out: Path, count: int) -> InputError:
    """That ``out`` is one file."""
    return InputError(f"{out} is one file, and there will be {count} results; name a folder", option="out")


def choose_name(source: str, target: str, taken: set[str]) -> str:
    """What a result is called, with a number behind it if another of ``taken``, to which it is added, is called so."""
    stems = (Path(name.replace("\\", "/")).stem for name in (source, target))
    name = "__".join(re.sub(r"[^\w.-]", "_", stem)[:100] or "pose" for stem in stems)
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.lower())
    return free
