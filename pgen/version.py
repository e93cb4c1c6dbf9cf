"""The version of the package, as in pyproject.toml; looking it up among installed packages would take longer."""

from __future__ import annotations

VERSION = "0.1.0"


def version() -> str:
    """The version of pgen, such as "0.1.0"."""
    return VERSION
