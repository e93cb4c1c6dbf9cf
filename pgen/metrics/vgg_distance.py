"""Distances in features of the first layers of VGG-16, which come with the package: they need no download."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.pretrained import load_vgg_features
from pgen.data.weights import bundled_path
from pgen.metrics.base import register
from pgen.metrics.fid import FrechetMetric
from pgen.metrics.lpips import DistanceMetric
from pgen.metrics.networks import STAND_IN_NOTE, PublishedNetwork


class VggLayers(PublishedNetwork):
    """The first three layers of VGG-16."""

    weights_name = "VGG-16"

    def build(self) -> nn.Module:
        return load_vgg_features(self.path)[0]

    @classmethod
    def find_weights(cls, fetch: bool) -> Path:
        return bundled_path("vgg16_relu2_1.safetensors")


class VggDistance(VggLayers):
    """``vgg-relu2-distance``: LPIPS's formula on the first three layers of VGG-16, without learned weights.

    Features of relu1_1, relu1_2 and relu2_1 are divided by their length over the channels; squared differences are
    summed over the channels and averaged over the pixels and the three layers. Every layer counts the same. It orders
    blurs, shifts and noise sensibly and needs no download, but it is not LPIPS: figures can't be compared.
    """

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W) of uint8."""
        distances = []
        for layer in self.network.layers(to_float(torch.cat([generated, target]))):
            first, second = (layer / (torch.linalg.vector_norm(layer, dim=1, keepdim=True) + 1e-10)).chunk(2)
            distances.append((first - second).square().sum(1).mean((1, 2)).double())
        return torch.stack(distances).mean(0)


class MeanVggFeatures(VggLayers):
    """Means over the image of the features that `VggDistance` compares: uint8 (B, 3, H, W) → float32 (B, 256)."""

    features, about = "vgg-relu2-frechet", "mean features of relu1_1, relu1_2, relu2_1 of VGG-16"

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([layer.mean((2, 3)) for layer in self.network.layers(to_float(images))], 1)


@register("vgg-relu2-distance")
class VggRelu2Distance(DistanceMetric):
    protocol = "LPIPS's formula on relu1_1, relu1_2, relu2_1 of VGG-16, all alike"
    network_class, note = VggDistance, STAND_IN_NOTE


@register("vgg-relu2-frechet")
class VggRelu2Frechet(FrechetMetric):
    network_class, note = MeanVggFeatures, STAND_IN_NOTE
