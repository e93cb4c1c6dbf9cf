"""A map in a file: what has been put into it is there the next time, whatever ends the process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from pgen.errors import InputError
from pgen.runtime.atomic_write import disk_full

#: The tables, as SQLite says how they were made; a file with others is somebody else's.
_TABLES = ("CREATE TABLE rows (key text primary key, value blob)", "CREATE TABLE header (value text)")

_AT_ONCE = 500  # keys in one question to the database
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class UnusableFileError(InputError):
    """The file is damaged, or something else; it is left as it is."""


class FileInUseError(UnusableFileError):
    """Another process has the file."""


_MAGIC = b"SQLite format 3\0"


def _read_start(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_MAGIC))
    return b""


class ResumableMap(AbstractContextManager["ResumableMap"]):
    """Bytes by key in the SQLite file ``path``, in the order in which they were put; use it as a context manager.

    What `put` has returned from outlives a kill of the process, and all but the last seconds a power cut. Several
    processes may use one file together, unless one of them has it ``alone``.

    Raises `PgenError` when the disk is full, `UnusableFileError` if the file is something else, damaged, or cannot be
    made, and `FileInUseError` if another process has it alone, or has it while it is wanted ``alone``.
    """

    def __init__(self, path: Path, alone: bool = False) -> None:
        self.path = path
        if path.is_file() and _read_start(path) not in (b"", _MAGIC):  # SQLite itself writes over very short ones
            raise UnusableFileError(f"{path} is no database; move it away, or name another file")
        try:
            self._database = sqlite3.connect(path, timeout=0 if alone else 60)
        except sqlite3.OperationalError as error:
            raise UnusableFileError(f"{path} cannot be opened or made: {error}") from error
        try:
            if alone:
                self._ask("pragma locking_mode = exclusive")
            if not {sql for (sql,) in self._ask("select sql from sqlite_master where sql is not null")} <= {*_TABLES}:
                raise UnusableFileError(f"{path} is a database of another program; move it away, or name another file")
            for statement in (
                "pragma journal_mode = wal",
                "pragma synchronous = normal",
                *(table.replace("TABLE", "table if not exists", 1) for table in _TABLES),
            ):
                self._ask(statement)
        except BaseException:
            self.close()
            raise

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._ask("select count(*) from rows")[0][0])

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values that are there of those asked for."""
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), _AT_ONCE):
            asked = keys[start : start + _AT_ONCE]
            found.update(self._ask(f"select key, value from rows where key in ({','.join('?' * len(asked))})", asked))
        return found

    def put(self, rows: Mapping[str, bytes]) -> None:
        """Keep ``rows``, all of them or, if the process dies, none."""
        self._write(("insert or replace into rows values (?, ?)", rows.items()))

    def list_keys(self) -> list[str]:
        """All keys, in the order in which they were put."""
        return [key for (key,) in self._ask("select key from rows order by rowid")]

    def iterate_values(self) -> Iterator[bytes]:
        """All values, in the order in which they were put."""
        with self._explain_errors():
            for (value,) in self._database.execute("select value from rows order by rowid"):
                yield value

    @property
    def header(self) -> dict[str, Any] | None:
        """What the file is about, as it was `begin` with; None of a new one."""
        found = self._ask("select value from header")
        try:
            return dict(json.loads(found[0][0])) if found else None
        except (ValueError, TypeError, RecursionError) as error:
            raise UnusableFileError(f"{self.path} is damaged; move it away, or name another file") from error

    def begin(self, header: Mapping[str, Any]) -> None:
        """Remove everything, and keep ``header``, fit for JSON."""
        text = (json.dumps(header),)
        self._write(("delete from rows", [()]), ("delete from header", [()]), ("insert into header values (?)", [text]))

    def close(self) -> None:
        """Close the file; harmless if it is closed."""
        self._database.close()

    def remove(self) -> None:
        """Close and delete the file: it has served, or is of no use."""
        self.close()
        remove_map(self.path)

    def _ask(self, question: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        with self._explain_errors():
            return self._database.execute(question, values).fetchall()

    def _write(self, *statements: tuple[str, Iterable[tuple[Any, ...]]]) -> None:
        with self._explain_errors(), self._database:
            for statement, rows in statements:
                self._database.executemany(statement, rows)

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code in _FULL:
                raise disk_full(self.path) from error
            if code in _BUSY:
                raise FileInUseError(f"{self.path} is in use by another process; wait until it has finished") from error
            raise UnusableFileError(
                f"{self.path} cannot be used to keep results ({error}); move it away, or name another file"
            ) from error


def remove_map(path: Path) -> None:
    """Delete the file of a map, with what SQLite may have left beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()
