"""Distances in features of the first layers of VGG-16, which come with the package: they need no download."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import to_float
from pgen.data.pretrained import load_vgg_features
from pgen.data.weights import bundled_path
from pgen.metrics.base import PathLike, register
from pgen.metrics.features import FeatureNetwork
from pgen.metrics.frechet import FrechetMetric
from pgen.metrics.lpips import DistanceMetric
from pgen.metrics.networks import STAND_IN_NOTE, PublishedNetwork
from pgen.models.vgg import VggFeatures

_FILE = bundled_path("vgg16_relu2_1.safetensors")


class VggDistance(PublishedNetwork):
    """``vgg-relu2-distance``: LPIPS's formula on the first three layers of VGG-16, without learned weights.

    Features of relu1_1, relu1_2 and relu2_1 are divided by their length over the channels; squared differences are
    summed over the channels and averaged over the pixels and the three layers. Every layer counts the same. It orders
    blurs, shifts and noise sensibly and needs no download, but it is not LPIPS: figures can't be compared.
    """

    weights_name, path = "VGG-16", _FILE

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        super().__init__()
        self.network, _ = load_vgg_features(path or _FILE)

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W) of uint8."""
        both = _layers(self.network, to_float(torch.cat([generated, target])))
        return torch.stack([_unit_difference(layer) for layer in both]).mean(0)


class MeanVggFeatures(FeatureNetwork):
    """Means over the image of the features that `VggDistance` compares: uint8 (B, 3, H, W) → float32 (B, 256)."""

    features, weights_name, path = "vgg-relu2-frechet", "VGG-16", _FILE
    about = "mean features of relu1_1, relu1_2, relu2_1 of VGG-16"

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        super().__init__()
        self.network, _ = load_vgg_features(path or _FILE)

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([layer.mean((2, 3)) for layer in _layers(self.network, to_float(images))], 1)


def _layers(network: VggFeatures, images: Tensor) -> list[Tensor]:
    """Features of relu1_1, relu1_2 and relu2_1, of images (B, 3, H, W) in [−1, 1]."""
    first = F.relu(network.features["0"]((images - network.mean) / network.std))
    second = F.relu(network.features["2"](first))
    return [first, second, F.relu(network.features["5"](F.max_pool2d(second, 2)))]


def _unit_difference(features: Tensor) -> Tensor:
    """Mean squared difference (B,) of the unit features of the first half of a batch from those of the second."""
    unit = features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)
    half = len(features) // 2
    return (unit[:half] - unit[half:]).square().sum(1).mean((1, 2)).double()


@register("vgg-relu2-distance")
class VggRelu2Distance(DistanceMetric):
    protocol = "LPIPS's formula on relu1_1, relu1_2, relu2_1 of VGG-16, all alike"
    network_class, note = VggDistance, STAND_IN_NOTE


@register("vgg-relu2-frechet")
class VggRelu2Frechet(FrechetMetric):
    network_class, note = MeanVggFeatures, STAND_IN_NOTE
