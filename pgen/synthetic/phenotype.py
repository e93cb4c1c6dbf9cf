"""Phenotypes: what a body looks like in words (gender, weight, ...), each 0-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The first eight vary on their own; the last three are shares of origin and sum to one.
PHENOTYPES = (
    "gender",
    "age",
    "muscle",
    "weight",
    "height",
    "proportions",
    "cupsize",
    "firmness",
    "african",
    "asian",
    "caucasian",
)


def multiply_phenotypes(phenotypes: NDArray[np.floating]) -> NDArray[np.floating]:
    """What the regression to shape components takes: 1, the phenotypes and their products.

    ``phenotypes`` (..., 11), values 0-1 in the order of ``PHENOTYPES``; result (..., 78).
    """
    first, second = np.triu_indices(len(PHENOTYPES))
    products = phenotypes[..., first] * phenotypes[..., second]
    return np.concatenate([np.ones_like(phenotypes[..., :1]), phenotypes, products], axis=-1)
