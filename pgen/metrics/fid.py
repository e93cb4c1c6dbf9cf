"""Fréchet distances of two sets of images, from features that are seen once: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.metrics.base import MetricOptions, Reference, UnavailableError, register
from pgen.metrics.inception_score import POOL, TensorflowInception
from pgen.metrics.networks import FeatureMetric, Features, PublishedNetwork, Rows

_FEW = 1024  # images of a set, up to which their features are compared by themselves: a table of so many a side

#: Sets of true images, as names of scores have them, in words.
_REFERENCES = {
    "test": "true target images of the pairs",
    "train": "training images",
    "photos": "photos that the results are made from, each once a result",
}


@dataclass(frozen=True)
class Moments:
    """Of the features (count, K) of a set of images, in float64."""

    count: int
    mean: NDArray[np.float64]  #: (K,)
    covariance: NDArray[np.float64]  #: (K, K), that of the sample


def compute_moments(features: Iterable[Rows]) -> Moments:
    """Of features in blocks (N, K)."""
    count, shift, total, products = 0, np.zeros(1), np.zeros(1), np.zeros((1, 1))
    for rows in features:
        if not count:
            shift = rows.mean(axis=0, dtype=np.float64)  # sums of squares about it are small
        centered = rows - shift
        count += len(rows)
        total = total + centered.sum(axis=0)
        products = products + centered.T @ centered
    mean = total / max(count, 1)
    covariance = (products - count * np.outer(mean, mean)) / max(count - 1, 1)
    return Moments(count, shift + mean, covariance)


def frechet_distance(first: Moments, second: Moments) -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂)) (Heusel et al. 2017). NaN with fewer than two images in either set.

    Σ₁Σ₂ has the eigenvalues of √Σ₁·Σ₂·√Σ₁, which is symmetric: so they are found stably, and real.
    """
    if min(first.count, second.count) < 2:
        return float("nan")
    values, vectors = np.linalg.eigh(first.covariance)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    product = np.linalg.eigvalsh(root @ second.covariance @ root)
    difference = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    return float(difference @ difference + traces - 2 * np.sqrt(product.clip(min=0)).sum())


def frechet_distance_of_few(first: Rows, second: Rows) -> float:
    """The same of features (N, K) and (M, K) themselves, at little cost where they are of fewer images than K.

    With Σ = AᵀA of centered features A, √(Σ₁Σ₂) has as its trace the sum of the singular values of A₁A₂ᵀ.
    """
    means = [rows.mean(axis=0, dtype=np.float64) for rows in (first, second)]
    spreads = [
        (rows - mean) / np.sqrt(max(len(rows) - 1, 1)) for rows, mean in zip((first, second), means, strict=True)
    ]
    difference, traces = means[0] - means[1], sum(float((spread**2).sum()) for spread in spreads)
    common = np.linalg.svd(spreads[0] @ spreads[1].T, compute_uv=False).sum()
    return float(difference @ difference + traces - 2 * common)


class FrechetMetric(FeatureMetric):
    """The distance of a network's features from those of true images: one score for each set of these."""

    heeds: tuple[str, ...] = ("against",)

    higher_is_better = False
    needs_truth = False
    columns = slice(None)  #: of the features, those that count

    def __init__(self, name: str, options: MetricOptions, reference: Reference) -> None:
        kind = "photos" if reference == "test" and not options.has_truth else reference
        super().__init__(f"{name}-{kind}", options)
        self.reference = reference
        self.protocol = f"Fréchet distance from the {_REFERENCES[kind]}; {self.network.about}"

    @classmethod
    def create(cls, name: str, options: MetricOptions) -> list[FrechetMetric]:
        return [cls(name, options, reference) for reference in options.against]

    def score_set(self, generated: Features, true: Features | None = None) -> tuple[float, float | None]:
        if true is None or min(len(generated), len(true)) < 2:
            raise UnavailableError("it takes two images at least on either side")
        blocks = [(block[:, self.columns] for block in one) for one in (generated, true)]
        if max(len(generated), len(true)) <= _FEW:
            return frechet_distance_of_few(*(np.concatenate(list(rows)) for rows in blocks)), None
        return frechet_distance(*map(compute_moments, blocks)), None


@register("fid")
class Fid(FrechetMetric):
    """Fréchet distance of Inception-v3's pooled features (Heusel et al. 2017)."""

    heeds = ("against", "inception_weights")

    network_class: type[PublishedNetwork] = TensorflowInception
    columns = slice(0, POOL)
