"""What comes with requests, read up to a limit and checked by type."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from pgen.errors import InputError
from pgen.studio.workspace import MOST_BYTES

T = TypeVar("T")

_MOST_OF_AN_OBJECT = 2**20


async def read_body(request: Request, name: str = "", limit: int = MOST_BYTES) -> bytes:
    """The body, of which no more is read than ``limit`` bytes. Raises `InputError` if there is more, or nothing.

    It calls what is sent by its ``name``, if that is known.
    """
    length = request.headers.get("content-length", "0")
    parts: list[bytes] = []
    count = int(length) if length.isdecimal() else 0
    if count <= limit:
        count = 0
        async for part in request.stream():
            count += len(part)
            if count > limit:
                break
            parts.append(part)
    if count > limit:
        raise InputError(f"{name or 'what was sent'} is over {limit / 2**20:.0f} MB, too large; scale it down")
    if not parts or not count:
        raise InputError(f"{name or 'what was sent'} is empty")
    return b"".join(parts)


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises `InputError` for anything else."""
    try:
        found = json.loads(await read_body(request, limit=_MOST_OF_AN_OBJECT))
    except (ValueError, RecursionError):
        raise InputError("a JSON object was expected") from None
    if not isinstance(found, dict):
        raise InputError("a JSON object was expected")
    return found


def take(given: dict[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    """``given[name]``, which must be of ``kind``; ``default`` if it is not there. Raises `InputError`."""
    value = given.get(name, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{name!r} is to be of the type {kind.__name__}")
    return value


def take_number(given: dict[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """A whole number ``low`` to ``high``. Raises `InputError`."""
    value = take(given, name, int, default)
    if not low <= value <= high:
        raise InputError(f"{name!r} is to be {low} to {high}")
    return value


def take_names(given: dict[str, Any], name: str, most: int) -> Sequence[str]:
    """A list of one to ``most`` strings. Raises `InputError`."""
    values = take(given, name, list)
    if not 0 < len(values) <= most or not all(isinstance(value, str) for value in values):
        raise InputError(f"{name!r} is to be a list of 1 to {most} names")
    return values
