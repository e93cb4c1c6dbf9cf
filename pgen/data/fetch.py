"""Weights of well-known networks: from torch's cache, or downloaded into it."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import torch

_SECONDS = 5.0  # how long to wait for an answer before going without


def find_cached_weights(url: str, fetch: bool) -> Path | None:
    """The file of ``url`` in torch's cache, downloaded first if ``fetch`` and possible; None if it is not to be had.

    The last part of the name, after a hyphen, begins the SHA-256 of the file, as torch's own do; it is checked.
    """
    name = url.rpartition("/")[2]
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if file.exists() or not fetch:
        return file if file.exists() else None
    digest = Path(name).stem.rpartition("-")[2]
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_SECONDS):
            file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digest, progress=False)
    except (OSError, RuntimeError):  # no network, or a damaged download
        return None
    return file
