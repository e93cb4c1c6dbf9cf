"""The two kinds of failure that users see as one line instead of a traceback."""

from __future__ import annotations


class PgenError(Exception):
    """Something went wrong while working. The message is one line that says what, and what helps."""


class InputError(PgenError):
    """What the user gave cannot be used. The message names the file, row or value and the likely remedy.

    Args:
        message: one line.
        option: the parameter whose change is the remedy, as Python calls it. The command line adds its flag.
    """

    def __init__(self, message: str, *, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option
