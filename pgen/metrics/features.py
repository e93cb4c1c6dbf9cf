"""Scores of a whole set of images, which are made of the features that a network gives of each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pgen.metrics.base import Batch, Metric, MetricOptions, Reference
from pgen.metrics.networks import PublishedNetwork, load_network

Rows = NDArray[np.floating]


class Features(Protocol):
    """Features of images in list order: blocks of them, (N, K)."""

    def __len__(self) -> int:
        """How many images there are."""

    def __iter__(self) -> Iterator[Rows]: ...


class FeatureNetwork(PublishedNetwork):
    """uint8 (B, 3, H, W) → features (B, K) on its device."""

    features: str  #: what they are called where they are kept
    about: str  #: what they are, as it stands in protocols


class FeatureMetric(Metric):
    """A score of all results at once, without an interval: its rows are features, which make no sums."""

    network_class: type[FeatureNetwork]
    masked = False  #: whether features are of images × pose mask
    reference: Reference | None = None  #: the true images that it is a distance from

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.network, self.weights = load_network(self.network_class, options)
        self.libraries = self.network.libraries
        self.rows_name = self.network.features + " masked" * self.masked

    def rows(self, batch: Batch) -> Tensor:
        images = batch.generated * batch.pose_mask() if self.masked else batch.generated
        return self.network(images.to(self.options.device)).float().cpu()

    @abstractmethod
    def score_set(self, generated: Features, true: Features | None = None) -> tuple[float, float | None]:
        """The score and, if it has one, its standard deviation; ``true`` are those of the reference.

        Raises `UnavailableError` if there are too few images.
        """
