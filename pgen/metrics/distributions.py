"""Scores of a whole set of images: Fréchet distance and Inception Score, from features that are seen once.

Both keep sums alone, so that memory does not grow with the number of images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Of an Inception Score, as published figures have it.
SPLITS = 10

Rows = NDArray[np.floating]


class Moments:
    """Mean and covariance of rows of features, in float64."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._shift = np.zeros(width)  # about the mean: keeps the sums of squares small
        self._sum = np.zeros(width)
        self._products = np.zeros((width, width))

    def add(self, rows: Rows) -> None:
        """Take in features (N, width)."""
        if not len(rows):
            return
        if not self.count:
            self._shift = rows.mean(axis=0, dtype=np.float64)
        centred = rows - self._shift
        self.count += len(rows)
        self._sum += centred.sum(axis=0)
        self._products += centred.T @ centred

    def mean(self) -> NDArray[np.float64]:
        """Their mean, (width,); zeros without any."""
        return self._shift + self._sum / max(self.count, 1)

    def covariance(self) -> NDArray[np.float64]:
        """That of the sample, (width, width), with n − 1: of two rows at least."""
        mean = self._sum / self.count
        return (self._products - self.count * np.outer(mean, mean)) / (self.count - 1)


def frechet_distance(first: Moments, second: Moments) -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂)) (Heusel et al. 2017). NaN with fewer than two images in either set.

    Σ₁Σ₂ has the eigenvalues of √Σ₁·Σ₂·√Σ₁, which is symmetric: so they are found stably, and real.
    """
    if min(first.count, second.count) < 2:
        return float("nan")
    a, b = first.covariance(), second.covariance()
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    product = np.linalg.eigvalsh(root @ b @ root)
    difference = first.mean() - second.mean()
    return float(difference @ difference + np.trace(a) + np.trace(b) - 2 * np.sqrt(product.clip(min=0)).sum())


class InceptionScore:
    """exp of the mean KL divergence of p(y | x) from p(y), in splits in list order (Salimans et al. 2016)."""

    def __init__(self, total: int, splits: int = SPLITS) -> None:
        """``total`` images will come; split k has those from k·total // splits on."""
        self.splits = splits
        self._starts = np.array([k * total // splits for k in range(splits + 1)])
        self._count = np.zeros(splits)
        self._entropies = np.zeros(splits)
        self._sums: list[NDArray[np.float64] | None] = [None] * splits
        self._seen = 0

    def add(self, logits: Rows) -> None:
        """Take in the logits (N, classes) of the next images."""
        logits = logits.astype(np.float64)
        logits = logits - logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        p = np.exp(log_p)
        own = np.searchsorted(self._starts, self._seen + np.arange(len(logits)), side="right") - 1
        for split in np.unique(own):
            chosen = own == split
            self._count[split] += chosen.sum()
            self._entropies[split] += (p[chosen] * log_p[chosen]).sum()
            before = self._sums[split]
            self._sums[split] = p[chosen].sum(axis=0) + (0 if before is None else before)
        self._seen += len(logits)

    def result(self) -> tuple[float, float]:
        """Mean and standard deviation over the splits; NaN with fewer images than splits."""
        if self._seen < self.splits:
            return float("nan"), float("nan")
        scores = []
        for count, entropy, total in zip(self._count, self._entropies, self._sums, strict=True):
            assert total is not None
            mean = total / count
            scores.append(np.exp(entropy / count - (mean * np.log(mean.clip(min=1e-300))).sum()))
        return float(np.mean(scores)), float(np.std(scores))
