"""What results are called, and where they go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgen.errors import InputError


def output_paths(
    out: Path | None, sources: Sequence[str], targets: Sequence[str], force: bool
) -> list[list[Path | None]]:
    """Where each result goes, by source and target; None without ``out``. Makes the folder that holds several.

    Raises `InputError` if ``out`` cannot hold them, or one exists and ``force`` is false.
    """
    from pgen.runtime.atomic_write import check_output

    if out is None:
        return [[None] * len(targets) for _ in sources]
    several = len(sources) * len(targets) > 1
    if not several and not out.is_dir() and out.suffix:
        check_output(with_png_suffix(out, "-o"), force)
        return [[out]]
    if out.suffix.lower() == ".png" and not out.is_dir():
        raise InputError(
            f"-o {out} is one file, and there will be {len(sources) * len(targets)} results; name a folder"
        )
    taken: set[str] = set()
    names = [[unused_name(f"{stem(source)}__{stem(target)}", taken) for target in targets] for source in sources]
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"-o {out}: the folder cannot be made: {error.strerror}") from None
    files: list[list[Path | None]] = [[out / f"{name}.png" for name in row] for row in names]
    for file in (file for row in files for file in row if file is not None):
        check_output(file, force)
    return files


def with_png_suffix(path: Path, flag: str) -> Path:
    """``path``, if it is called like a PNG. Raises `InputError` naming ``flag``."""
    if path.suffix.lower() != ".png":
        raise InputError(f"{flag} {path}: pictures are written as PNG; name it {path.stem or 'out'}.png")
    return path


def stem(name: str) -> str:
    """The name of a photo or pose as part of a file name."""
    plain = Path(name.replace("\\", "/")).stem
    return re.sub(r"[^\w.-]", "_", plain)[:100] or "pose"


def unused_name(name: str, taken: set[str]) -> str:
    """``name``, or with a number behind it if another result has it already."""
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.lower())
    return free
