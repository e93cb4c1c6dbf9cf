"""Networks that compare or describe images, loaded once by each process, and the files of their weights."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

from torch import nn

from pgen.data.inputs import read_bytes
from pgen.data.pretrained import find_cached_weights
from pgen.errors import InputError
from pgen.metrics.base import MetricOptions, PathLike, UnavailableError

Network = TypeVar("Network", bound="PublishedNetwork")

#: What readers of a score that uses no published network have to know.
STAND_IN_NOTE = "a stand-in that works offline; not comparable with published figures"


class PublishedNetwork(nn.Module):
    """A network with weights that others have published: ``path``, else those at hand or, with ``fetch``, downloaded.

    A subclass has the constructor ``(path: PathLike | None, fetch: bool)`` and sets `path`.
    """

    weights_name: str
    weights_option: str | None = None  #: the field of `MetricOptions` that names the file of its weights
    libraries: tuple[str, ...] = ()  #: those whose versions matter
    path: Path  #: of the weights that were loaded


def load_network(kind: type[Network], options: MetricOptions) -> tuple[Network, dict[str, str]]:
    """A network, the same one each time, and the hash of its weights by their name.

    Raises `UnavailableError` if the weights are not to be had, and `InputError` if the file holds others.
    """
    path = getattr(options, kind.weights_option) if kind.weights_option else None
    found = _load_once(kind, path, options.fetch, options.device)  # type: ignore[arg-type]
    if isinstance(found, UnavailableError):
        raise found
    return found, {kind.weights_name: hash_file(found.path)}


@cache
def _load_once(kind: type[Network], path: PathLike | None, fetch: bool, device: str) -> Network | UnavailableError:
    """The network, or why it is not to be had: that is not tried again and again either."""
    try:
        return kind(path, fetch).to(device).eval()
    except UnavailableError as error:
        return error


def find_network_weights(url: str, path: PathLike | None, fetch: bool, what: str) -> Path:
    """The file of ``what``: ``path``, else that of ``url`` in torch's cache, downloaded with ``fetch``.

    Raises `UnavailableError` if there is none.
    """
    if path is not None:
        return Path(path)
    found = find_cached_weights(url, fetch)
    if found is None:
        raise UnavailableError(f"the weights of {what} are not here and cannot be fetched; give their path ({url})")
    return found


def wrong_weights_error(path: Path, what: str, error: RuntimeError) -> InputError:
    reason = " ".join(str(error).split())[:120]
    return InputError(f"{path}: these are not the weights of {what} ({reason})")


@lru_cache(maxsize=16)
def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, its first 32 digits."""
    return hashlib.sha256(read_bytes(path, "weights")).hexdigest()[:32]
