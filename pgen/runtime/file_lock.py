"""Files that one process at a time has to itself, for as long as it lives."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # not POSIX: nobody is kept out
    fcntl = None  # type: ignore[assignment]


def file_lock(handle: int, wait: bool = False) -> bool | None:
    """Lock the open file ``handle`` until it is closed.

    False if another process has it, unless ``wait``; None if this system or disk has no locks. HDF5 locks in the same
    way, and must not where this is used.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_stale(handle: int) -> bool:
    """Whether the open file ``handle`` has been deleted."""
    return os.fstat(handle).st_nlink == 0
