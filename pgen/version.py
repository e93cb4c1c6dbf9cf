"""The version of the installed package."""

from __future__ import annotations


def version() -> str:
    """The version from the package's metadata; ``"unknown"`` if the package was never installed."""
    from importlib.metadata import PackageNotFoundError  # slow to import, and seldom needed
    from importlib.metadata import version as installed

    try:
        return installed("pgen")
    except PackageNotFoundError:
        return "unknown"
