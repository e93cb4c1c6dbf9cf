"""What `prepare` has finished so far, kept in a file that may be cut off anywhere and still be gone on with.

The file is a line of JSON, the header, that says what is being done, then one record an item: the length of its body
and the body's CRC-32 (both uint32, little-endian), then the body. A process that is killed leaves at most a piece of
one record at the end, and a machine that goes down leaves bytes that do not fit their CRC; both are cut off when the
file is opened again.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from pgen.body.joints import JOINT_COUNT
from pgen.data.example import Drop
from pgen.data.packing import PackedExample
from pgen.errors import InputError
from pgen.runtime.atomic_write import disk_full, is_disk_full
from pgen.runtime.file_lock import file_lock, is_stale

_MAGIC = "pgen-prepare 1 "
_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
_POSE_BYTES = JOINT_COUNT * 2 * 4
_LONGEST = 1 << 30  # bytes of a record; a length beyond it is damage

Entry = PackedExample | Drop


class ResumeError(InputError):
    """Unfinished work is there, but cannot be gone on with; it is left as it is."""


class Journal:
    """The finished items of one `prepare`, in order, in the file ``path``; use it as a context manager.

    If the file is there and ``resume`` is true, its whole records are kept and ``header`` must be the one it was begun
    with (but for "created", which is taken from the file); otherwise it is begun anew. While it is open no other
    process can open it. On exit the file is kept for another time, unless it has no records or the error is an
    `InputError`: what came of bad input is of no use.

    Raises `InputError` if the file belongs to other work, to another process, or is no journal.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], resume: bool = True) -> None:
        self.path = path
        self.signatures: list[str] = []  # of the items that are finished
        self._file = _open_alone(path)
        try:
            self.header = self._begin(json.loads(json.dumps(header)), resume)  # as it will be read: lists, not tuples
        except BaseException as error:
            if not self.signatures and not isinstance(error, InputError):
                self.remove()
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        useless = isinstance(error, InputError) and not isinstance(error, ResumeError)
        if useless or not self.signatures:
            self.remove()
        self._file.close()

    def __len__(self) -> int:
        return len(self.signatures)

    def append(self, signature: str, entry: Entry) -> None:
        """Add a finished item; ``signature`` tells it from others. Raises `PgenError` when the disk is full."""
        body = _to_bytes(signature, entry)
        self._write(_HEAD.pack(len(body), zlib.crc32(body)) + body)
        self.signatures.append(signature)

    def entries(self) -> Iterator[Entry]:
        """All finished items, in order."""
        self._file.seek(self._start)
        for _ in range(len(self)):
            record = _next_record(self._file)
            if record is None:
                raise InputError(f"{self.path} has changed meanwhile; start anew with --no-resume")
            yield _from_bytes(record, self.path)[1]

    def remove(self) -> None:
        """Delete the file: it has served, or is of no use."""
        with suppress(OSError):
            self.path.unlink()

    def _begin(self, header: dict[str, Any], resume: bool) -> dict[str, Any]:
        own = _read_header(self._file, self.path)
        if own is None or not resume:
            self._file.seek(0)
            self._file.truncate()
            self._write((_MAGIC + json.dumps(header) + "\n").encode())
            self._start = self._file.tell()
            return header
        changed = _difference(own, header)
        if changed:
            raise ResumeError(
                f"{self.path} holds unfinished work that was begun with {changed}: "
                "give the same again to go on, or --no-resume to start anew"
            )
        self._start = end = self._file.tell()
        while (record := _next_record(self._file)) is not None:
            self.signatures.append(_from_bytes(record, self.path)[0])
            end = self._file.tell()
        self._file.seek(end)
        self._file.truncate()
        return own

    def _write(self, data: bytes) -> None:
        """Write all of ``data`` at the end, or nothing."""
        start = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            with suppress(OSError):
                self._file.seek(start)
                self._file.truncate()
            if isinstance(error, OSError) and is_disk_full(error):
                raise disk_full(self.path) from error
            raise


def journal_start(path: Path) -> str | None:
    """When the work in the journal ``path`` was begun, None if it has not got so far."""
    with path.open("rb") as file:
        header = _read_header(file, path)
    return None if header is None else header.get("created")


def _open_alone(path: Path) -> BinaryIO:
    """Open ``path`` for reading and appending, made if need be, and lock it."""
    while True:
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", 0)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from error
        if file_lock(file.fileno()) is False:
            file.close()
            raise InputError(f"{path} is being written by another process; wait, or name another --out")
        if not is_stale(file.fileno()):
            return file
        file.close()  # the process that had it has just finished and removed it


def _read_header(file: BinaryIO, path: Path) -> dict[str, Any] | None:
    """The header of ``file``, None if it is empty or cut off in its header."""
    begin = b""
    while b"\n" not in begin and (more := file.read(1 << 16)):
        begin += more
        if not begin.startswith(_MAGIC.encode()[: len(begin)]):
            break
    line, newline, _ = begin.partition(b"\n")
    if line.startswith(_MAGIC.encode()[: len(line)]) and not newline:
        return None
    try:
        header = json.loads(line.decode().removeprefix(_MAGIC))
        if not line.startswith(_MAGIC.encode()) or not isinstance(header, dict):
            raise ValueError
    except ValueError:
        raise InputError(f"{path} is in the way, and not unfinished work of this program; move it away") from None
    file.seek(len(line) + 1)
    return header


def _difference(own: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """What differs between the work that was begun and the one asked for, in words; "" if nothing does."""
    for key in sorted(own.keys() | header.keys()):
        was, now = own.get(key), header.get(key)
        if key == "created" or was == now:
            continue
        if not isinstance(was, dict) or not isinstance(now, dict):
            return f"{key} {json.dumps(was)}, not {json.dumps(now)}"
        if key != "files":
            return _difference(was, now)
        return f"other contents of {next(file for file in was.keys() | now.keys() if was.get(file) != now.get(file))}"
    return ""


def _next_record(file: BinaryIO) -> bytes | None:
    """The body of the record that begins here, None where the whole records end."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, crc = _HEAD.unpack(head)
    if length > _LONGEST:
        return None
    body = file.read(length)
    return body if len(body) == length and zlib.crc32(body) == crc else None


def _to_bytes(signature: str, entry: Entry) -> bytes:
    if isinstance(entry, Drop):
        return _with_length({"signature": signature, "drop": asdict(entry)})
    fields = {name: getattr(entry, name) for name in ("name", "person", "split", "attributes", "sources")}
    head = _with_length({"signature": signature, "image": len(entry.image), **fields})
    return b"".join((head, entry.pose.astype("<f4").tobytes(), entry.image, entry.parsing))


def _with_length(head: Mapping[str, Any]) -> bytes:
    text = json.dumps(head).encode()
    return _LENGTH.pack(len(text)) + text


def _from_bytes(body: bytes, path: Path) -> tuple[str, Entry]:
    try:
        start = _LENGTH.size + _LENGTH.unpack_from(body)[0]
        head = json.loads(body[_LENGTH.size : start])
        signature = head.pop("signature")
        if "drop" in head:
            return signature, Drop(**head["drop"])
        middle = start + _POSE_BYTES
        end = middle + head.pop("image")
        pose = np.frombuffer(body[start:middle], "<f4").reshape(JOINT_COUNT, 2)
        return signature, PackedExample(pose=pose, image=body[middle:end], parsing=body[end:], **head)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise InputError(f"{path} is damaged; start anew with --no-resume") from error
