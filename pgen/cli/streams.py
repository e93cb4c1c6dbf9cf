"""Standard input, output and error, whatever the shell has made of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from pgen.errors import PgenError


def open_streams() -> None:
    """Let closed streams lead nowhere, and write what a terminal's encoding lacks as escapes.

    A file that is opened later would else take the number of a closed stream, and what is printed would end up in it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class LastingOutput:
    """Standard output that takes what can no longer be written without an error, so that the work goes on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.failure: OSError | ValueError | None = None  #: the first error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def _attempt(self, work: Callable[[], object]) -> None:
        if self.failure is None:
            try:
                work()
            except (OSError, ValueError) as error:
                self.failure = error
                self._drop()

    def _drop(self) -> None:
        """Keep Python from complaining, at its end, about what is left to be printed."""
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def outlast_output() -> Iterator[None]:
    """Let the block end its work, whatever becomes of standard output.

    Then raises BrokenPipeError if its reader has left, and `PgenError` if it could not be written.
    """
    before = sys.stdout
    lasting = LastingOutput(before)
    sys.stdout = cast(TextIO, lasting)
    try:
        yield
        lasting.flush()
    finally:
        sys.stdout = before
    if isinstance(lasting.failure, BrokenPipeError):
        raise lasting.failure
    if lasting.failure is not None:
        reason = getattr(lasting.failure, "strerror", None) or lasting.failure
        raise PgenError(f"what was to be printed could not be written ({reason}); files that were made are kept")
