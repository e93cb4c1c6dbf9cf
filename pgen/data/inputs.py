"""Getting at the bytes of what the user named, with errors that say what is wrong with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pgen.errors import InputError

#: No photo, pose or parsing map is larger; keeps an endless or mistaken file from filling the memory.
MAX_BYTES = 512 * 2**20
_PAGES, _MOST_DIGITS = (".html", ".md"), 6
FARTHEST = 1e5  # pixels; no photo is that large


def read_bytes(path: str | os.PathLike[str], kind: str, limit: int = MAX_BYTES) -> bytes:
    """All bytes of ``path``, which should hold a ``kind`` ("an image").

    Raises `InputError` if it is missing, a folder, a pipe or device, not readable, empty, or longer than ``limit``
    bytes.
    """
    check_no_device(path, kind)
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; give the path of {kind}") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; name {kind} in it") from error
    except (OSError, ValueError) as error:  # no permission, a name too long or with a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} cannot be read as {kind}: {reason}") from error
    if not data:
        raise InputError(f"{path} is empty; {kind} was expected")
    if len(data) > limit:
        raise InputError(f"{path} is over {limit / 2**20:.0f} MB, too large for {kind}")
    return data


def check_no_device(path: str | os.PathLike[str], kind: str) -> None:
    """Raises `InputError` for a pipe, socket or device in the place of a ``kind``: it may never end, or never begin."""
    with suppress(OSError, ValueError):
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise InputError(f"{path} is a pipe or a device; {kind} is read from a file, so save it in one first")


def read_start(path: str | os.PathLike[str], count: int) -> bytes:
    """The first ``count`` bytes of ``path``, fewer if it is shorter, none if it is no file that can be read."""
    try:
        if not Path(path).is_file():
            return b""
        with Path(path).open("rb") as file:
            return file.read(count)
    except (OSError, ValueError):
        return b""


def read_text(path: str | os.PathLike[str], kind: str, limit: int = MAX_BYTES) -> str:
    """The text in ``path``, which should hold a ``kind``. Raises `InputError` as `read_bytes` and `decode_text` do."""
    return decode_text(read_bytes(path, kind, limit), path)


def decode_text(data: bytes, path: str | os.PathLike[str]) -> str:
    """Text of UTF-8 (with or without BOM) or UTF-16 (with BOM). Raises `InputError` for anything else."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8; convert it first") from error


def split_spec(spec: str | os.PathLike[str]) -> tuple[Path, str | None]:
    """Split ``FILE:NAME`` into the file and the name of an entry in it; None if ``spec`` is a file by itself.

    Both may hold colons: the longest beginning that is an existing file is the file. Raises `InputError` if
    there is none.
    """
    text = os.fspath(spec)
    end = len(text)
    while end > 0:
        path = Path(text[:end])
        with suppress(OSError, ValueError):  # too long for a name, or a NUL in it
            if path.exists():
                return path, text[end + 1 :] or None
        end = text.rfind(":", 0, end)
    if not text:
        raise InputError("an empty text names no file; give FILE, or FILE:NAME for one entry of a file")
    raise InputError(f"{text} does not exist; give FILE, or FILE:NAME for one entry of a file")


def split_number(spec: str | os.PathLike[str]) -> tuple[str, int | None]:
    """Split ``SPEC#N`` into what it is without and the number of a person; None if ``spec`` is a file, or has none."""
    text, sign, number = (whole := os.fspath(spec)).rpartition("#")
    if not sign or not number.isascii() or not number.isdigit() or len(number) > _MOST_DIGITS:
        return whole, None
    with suppress(OSError, ValueError):
        if Path(whole).exists():
            return whole, None
    return text, int(number)


def split_name(given: str) -> tuple[str, str]:
    """NAME=PATH → what to call it and where it is; of a path alone, which may have "=" in it, no name."""
    name, equals, path = given.partition("=")
    return (name, path) if equals and not Path(given).exists() else ("", given)


def list_given(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """One or several names or paths as a list."""
    return [os.fspath(one) for one in ([given] if isinstance(given, str | os.PathLike) else given)]


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[object]) -> None:
    """Refuse an output that is one of the ``inputs``, also by another name, such as a link.

    ``inputs`` are files, ``FILE:NAME``, ``NAME=FILE``, ``FILE#N``, or folders, all of whose files count but pages,
    which nothing reads; what is no path is none. Raises `InputError`.
    """
    there: dict[tuple[int, int], Path] = {}
    for output in outputs:
        with suppress(OSError, ValueError):
            there |= {_identify(output): output} if output is not None else {}
    for given in inputs if there else ():
        for file in _list_files(os.fspath(given)) if isinstance(given, str | os.PathLike) else ():
            with suppress(OSError):
                if (output := there.get(_identify(file))) is not None:
                    same = "" if output == file else f"the same file as {file}, and "
                    raise InputError(f"{output} is {same}read here, so it cannot be written; choose another name")


def _list_files(given: str) -> Iterable[Path]:
    for spec in (given, split_name(given)[1], split_number(given)[0]):
        with suppress(InputError):
            path, _ = split_spec(spec)
            return [path] if not path.is_dir() else (file for file in path.rglob("*") if file.suffix not in _PAGES)
    return []


def _identify(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def are_coordinates(values: Iterable[object]) -> bool:
    """Whether ``values`` are numbers that may be pixels of a photo."""
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FARTHEST for value in values
    )
