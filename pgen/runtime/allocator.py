"""How the C library gives memory back: large tensors come and go, and pages taken anew have to be zeroed each time."""

from __future__ import annotations

import ctypes

# Parameters of glibc's mallopt(3): blocks from so many bytes on are pages of their own, which go back to the system at
# once; and so much that is free at the end of the heap is kept.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_LARGE, _KEPT = 256 << 20, 512 << 20


def keep_freed_memory() -> None:
    """Let this process use again what it has freed, up to 512 MB; nothing is done where the C library is not glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_TRIM_THRESHOLD, _KEPT)
