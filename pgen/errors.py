"""The two kinds of failure that users see as one line instead of a traceback."""

from __future__ import annotations


class PgenError(Exception):
    """Something went wrong while working. The message is one line that says what, and what helps."""


class InputError(PgenError):
    """What the user gave cannot be used. The message names the file, row or flag and the likely remedy."""
