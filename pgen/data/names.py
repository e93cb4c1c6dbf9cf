"""Names of images: telling the user which one was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_matches(name: str, names: Iterable[str]) -> str:
    """``"; did you mean a, b?"`` with up to three of ``names`` that resemble ``name``, or an empty string."""
    found = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(found)}?" if found else ""
