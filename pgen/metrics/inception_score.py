"""Inception-v3 as published figures use it, and its Inception Score, of whole images and of images times a mask."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor, nn

from pgen.data.weights import read_state_dict
from pgen.metrics.base import MetricOptions, UnavailableError, register
from pgen.metrics.networks import FeatureMetric, Features, PublishedNetwork, Rows

POOL = 2048  #: features before the classifier, the first columns of what the network gives
SPLITS = 10  #: as published figures have it


class TensorflowInception(PublishedNetwork):
    """The graph ``inception-2015-12-05`` that published figures use, as torch-fidelity ported it.

    uint8 (B, 3, H, W) → float32 (B, 2048 + 1008): pool features, then logits without bias.
    """

    title = "torch-fidelity's Inception-v3"
    # Known here too, as it takes seconds to ask the library.
    url = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
    features, libraries = "tensorflow inception", ("torch-fidelity",)
    weights_name, weights_option = "Inception-v3", "inception_weights"
    about = "Inception-v3 of 2015-12-05, TensorFlow port, unbiased logits"

    def build(self) -> nn.Module:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        # The library would unpickle whatever the file holds: what it gets is a copy of the tensors alone.
        with tempfile.TemporaryDirectory() as folder:
            plain = f"{folder}/inception.pth"
            torch.save(read_state_dict(self.path), plain)
            network: nn.Module = FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], plain)
        return network

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.network(images), 1)


def inception_score(logits: Iterable[Rows], count: int, splits: int = SPLITS) -> tuple[float, float]:
    """exp of the mean KL divergence of p(y | x) from p(y), in splits in list order (Salimans et al. 2016).

    ``logits`` are those of ``count`` images, in blocks (N, classes), of which sums alone are kept. Split k begins at
    image k·count // splits. Returns mean and standard deviation over the splits; NaN with fewer images than splits.
    """
    if count < splits:
        return float("nan"), float("nan")
    starts = np.array([k * count // splits for k in range(splits + 1)])
    entropies, sums, seen = np.zeros(splits), [np.zeros(1)] * splits, 0
    for block in logits:
        log_p = log_softmax(block.astype(np.float64), axis=1)
        p = np.exp(log_p)
        split_of = np.searchsorted(starts, seen + np.arange(len(p)), side="right") - 1
        for split in np.unique(split_of):
            chosen = split_of == split
            entropies[split] += (p[chosen] * log_p[chosen]).sum()
            sums[split] = sums[split] + p[chosen].sum(axis=0)
        seen += len(p)
    scores = []
    for number, entropy, total in zip(np.diff(starts), entropies, sums, strict=True):
        mean = total / number
        scores.append(np.exp(entropy / number - (mean * np.log(mean.clip(min=1e-300))).sum()))
    return float(np.mean(scores)), float(np.std(scores))


@register("is")
class InceptionScore(FeatureMetric):
    heeds = ("inception_weights",)
    higher_is_better = True
    needs_truth = False
    network_class: type[PublishedNetwork] = TensorflowInception

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.protocol = f"{SPLITS} splits in list order, mean ± sd; {self.network.about}"
        self.protocol += "; image × field mask of the target" * self.masked

    def score_set(self, generated: Features, true: Features | None = None) -> tuple[float, float | None]:
        if len(generated) < SPLITS:
            raise UnavailableError(f"{len(generated)} images are fewer than {SPLITS} splits")
        return inception_score((block[:, POOL:] for block in generated), len(generated))


@register("mask-is")
class MaskInceptionScore(InceptionScore):
    masked, needs = True, ("poses",)
