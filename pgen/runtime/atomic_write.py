"""Output files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pgen.errors import InputError, PgenError

try:
    import fcntl
except ImportError:  # not POSIX: nobody is kept out
    fcntl = None  # type: ignore[assignment]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class OutputError(InputError):
    """An output cannot be written; nothing is wrong with what was to be in it."""


def check_output(path: str | os.PathLike[str], overwrite: bool = False) -> Path:
    """Refuse, before any work is done, an output file that could not be written in the end.

    Returns the file that will be written (symbolic links followed). Raises `InputError` if it exists and
    ``overwrite`` is false, if it is a folder or a device, or if its folder is missing or not writable.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise OutputError(f"{path} is a folder; name a file to write")
        if target.is_symlink():  # after links were followed: one that leads to itself
            raise OutputError(f"{path} is a link that leads nowhere; name a file to write")
        if target.exists() and not target.is_file():
            raise OutputError(f"{path} is not a regular file; name a file to write")
        if target.exists() and not overwrite:
            raise OutputError(f"{path} exists already; choose another name, or pass overwrite", option="overwrite")
        if not target.parent.is_dir():
            raise OutputError(f"{path} cannot be written: there is no folder {target.parent}; create it first")
    except (OSError, ValueError) as error:  # a name that is too long, holds a NUL, lies in a locked folder
        raise OutputError(f"{str(path)!r} cannot be written: {_reason(error)}") from error
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: the folder {target.parent} is not writable")
    return target


def _shorten(name: str) -> str:
    """The beginning of ``name``: with more before and behind it, it is a name that file systems take."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


@contextmanager
def atomic_write(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Yield a new empty file beside ``path`` (same suffix) to write to; it becomes ``path`` at the end.

    It is flushed and renamed in one step: no reader, crash or full disk ever meets half a file. If the block raises,
    nothing is left behind. Raises `InputError` as `check_output` does, and `PgenError` when the disk is full.
    """
    target = check_output(path, overwrite)
    aside = target.with_name(f".{_shorten(target.stem)}.{secrets.token_hex(4)}.part{target.suffix}")
    try:
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(path) from error
        raise OutputError(f"{path} cannot be written: {_reason(error)}") from error
    if not _lock(handle):  # held to the end: whoever finds the file unlocked knows that nobody writes it any more
        os.close(handle)
        handle = -1
    mode = aside.stat().st_mode
    try:
        yield aside
        aside.chmod(mode)  # a writer that replaces the file, as safetensors does, makes it readable to one user only
        _flush(aside)
        check_output(path, overwrite)  # someone else may have written it meanwhile
        aside.replace(target)
    except (OSError, RuntimeError) as error:  # HDF5 raises either
        if is_disk_full(error):
            raise disk_full(path) from error
        raise
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        if handle >= 0:
            os.close(handle)
    with suppress(OSError):  # some file systems cannot flush a folder
        _flush(target.parent)


@contextmanager
def atomic_folder(out: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that takes its place at the end, or is removed if the block raises.

    With ``overwrite`` the files go into an ``out`` that exists, over those of the same names; others there are kept.
    Raises `InputError` if ``out`` is a file or exists without ``overwrite``, or if it cannot be made.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder", option="out")
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists already; choose another name, or pass overwrite", option="overwrite")
    aside = out.absolute().with_name(f".{_shorten(out.name)}.{os.getpid()}.part")
    try:
        aside.mkdir()
    except OSError as error:
        raise InputError(f"{out}: the folder cannot be made: {_reason(error)}", option="out") from None
    try:
        yield aside
        if out.exists():
            for file in sorted(aside.iterdir()):
                file.replace(out / file.name)
        else:
            aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Delete what processes that were killed in `atomic_write` have left beside ``path``.

    What another process is writing is left alone, and everything where that is not known.
    """
    target = Path(os.path.realpath(path))
    aside = re.compile(re.escape(f".{_shorten(target.stem)}.") + "[0-9a-f]{8}" + re.escape(f".part{target.suffix}"))
    for entry in target.parent.iterdir():
        if aside.fullmatch(entry.name):
            with suppress(OSError), entry.open("rb") as file:
                if _lock(file.fileno()):
                    entry.unlink()


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make ``folder`` if need be, and keep other processes that ask for it out while the block runs.

    Raises `InputError` if another one has it. Nothing is left in it; a process that dies leaves it free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        if _lock(handle) is False:
            raise InputError(
                f"another process writes into {folder}; wait for it, or choose another folder", option="out"
            )
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Lock the open file ``handle`` until it is closed, for this process alone.

    False if another process has it; None if this system or disk has no locks. HDF5 locks in the same way, and must not
    where this is used.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_disk_full(error: Exception) -> bool:
    """Whether ``error`` says that nothing more can be written; HDF5 says so in words alone."""
    text = str(error)
    return getattr(error, "errno", None) in _FULL or any(os.strerror(number) in text for number in _FULL)


def disk_full(path: str | os.PathLike[str]) -> PgenError:
    """What to raise when ``path`` cannot be written for lack of space."""
    return PgenError(f"{path} could not be written: no space left on the disk; free some or write elsewhere")


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
