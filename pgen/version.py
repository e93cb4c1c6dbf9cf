"""The version of the package, as in pyproject.toml; looking it up among installed packages would take longer."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

VERSION = "0.1.0"


def version() -> str:
    """The version of pgen, such as "0.1.0"."""
    return VERSION


@cache
def hash_sources() -> str:
    """A hash of the package's own code: what other code has computed may be something else."""
    digest, folder = hashlib.blake2b(digest_size=8), Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
