"""Fréchet Inception distance."""

from __future__ import annotations

from pgen.metrics.base import register
from pgen.metrics.features import FeatureNetwork
from pgen.metrics.frechet import FrechetMetric
from pgen.metrics.tensorflow_inception import POOL, TensorflowInception


@register("fid")
class Fid(FrechetMetric):
    """Fréchet distance of Inception-v3's pooled features (Heusel et al. 2017)."""

    network_class: type[FeatureNetwork] = TensorflowInception
    columns = slice(0, POOL)
