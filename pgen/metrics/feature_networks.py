"""The networks that judge results, loaded once by each process, and the hashes of their files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from torch import nn

from pgen.data.inputs import read_bytes
from pgen.metrics.inception import TensorflowInception, TorchvisionInception, UnavailableError
from pgen.metrics.light_classifier import LightClassifier
from pgen.metrics.perceptual import Lpips, MeanVggFeatures, VggDistance


def load_feature_network(kind: str, path: Path | None, fetch: bool, device: str) -> nn.Module:
    """The network called ``kind``, with the weights in ``path``, else those that are cached or can be fetched.

    Raises `UnavailableError` if there are none, and `InputError` if the file holds others.
    """
    found = _loaded(kind, path, fetch, device)
    if isinstance(found, UnavailableError):
        raise found
    return found


@cache
def _loaded(kind: str, path: Path | None, fetch: bool, device: str) -> nn.Module | UnavailableError:
    """The network, or why it is not to be had: that is not tried again and again either."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "tensorflow": lambda: TensorflowInception(path, fetch),
        "torchvision": lambda: TorchvisionInception(path, fetch),
        "lpips": lambda: Lpips(path, fetch),
        "vgg distance": VggDistance,
        "vgg features": MeanVggFeatures,
        "lite0": lambda: LightClassifier(path),
    }
    try:
        return makers[kind]().to(device).eval()
    except UnavailableError as error:
        return error


@lru_cache(maxsize=16)
def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, its first 32 digits."""
    return hashlib.sha256(read_bytes(path, "weights")).hexdigest()[:32]
