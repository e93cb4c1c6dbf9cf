"""Standard input, output and error, whatever the shell has made of them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

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


def flush_output() -> None:
    """Have standard output written. Raises BrokenPipeError if its reader has left, and `PgenError` if it cannot be."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        drop_output()
        reason = getattr(error, "strerror", None) or error
        raise PgenError(
            f"what was to be printed could not be written ({reason}); files that were made are kept"
        ) from None


def drop_output() -> None:
    """Keep Python from complaining, at its end, about what is left to be printed."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
