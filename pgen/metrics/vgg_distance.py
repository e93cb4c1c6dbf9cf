"""Distances in features of the first layers of VGG-16, which come with the package: they need no download."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.pretrained import load_vgg_features
from pgen.data.weights import bundled_path
from pgen.metrics.base import PathLike, register
from pgen.metrics.fid import FrechetMetric
from pgen.metrics.lpips import ComparingNetwork, DistanceMetric, normalize_layer
from pgen.metrics.networks import STAND_IN_NOTE, PublishedNetwork
from pgen.metrics.seen_images import SeenImages

_SEEN = SeenImages()  # by distance and features alike

_SIDE = 256  # the longer side, at most, of images whose features are averaged


class VggLayers(PublishedNetwork):
    """The first three layers of VGG-16. What they are on average is kept for a while, for whoever asks next."""

    weights_name, smallest = "VGG-16", 2

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        super().__init__(path, fetch)
        self.seen = _SEEN

    def build(self) -> nn.Module:
        return load_vgg_features(self.path)[0].to(memory_format=torch.channels_last)

    @classmethod
    def find_weights(cls, fetch: bool) -> Path:
        return bundled_path("vgg16_relu2_1.safetensors")

    def see(self, images: Tensor) -> tuple[Tensor, ...]:
        """The layers (B, C, h, w) of images, uint8 (B, 3, H, W)."""
        layers: tuple[Tensor, ...] = self.network.layers(to_float(images))
        if max(images.shape[2:]) <= _SIDE:
            self.seen.keep(images, _average(layers))
        return layers


class VggDistance(VggLayers, ComparingNetwork):
    """``vgg-relu2-distance``: LPIPS's formula on the first three layers of VGG-16, without learned weights.

    relu1_1, relu1_2 and relu2_1 count the same. It orders blurs, shifts and noise sensibly and needs no download, but
    it is not LPIPS: figures can't be compared.
    """

    def describe(self, images: Tensor) -> list[Tensor]:
        return [normalize_layer(layer) for layer in self.see(images)]

    def weigh(self, level: int, squares: Tensor) -> Tensor:
        return squares.sum(1).mean((1, 2)) / 3


class MeanVggFeatures(VggLayers):
    """Means over the image of the features that `VggDistance` compares: uint8 (B, 3, H, W) → float32 (B, 256).

    Larger images are scaled to a longer side of 256 pixels first.
    """

    features = "vgg-relu2-frechet"
    about = f"mean features of relu1_1, relu1_2, relu2_1 of VGG-16, of images scaled to at most {_SIDE} pixels a side"

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        share = _SIDE / max(images.shape[2:])
        if share >= 1:
            return _average(self.see(images.contiguous(memory_format=torch.channels_last)))
        size = [max(self.smallest, round(side * share)) for side in images.shape[2:]]
        # As numbers of floating point: GPUs scale no bytes.
        scaled = F.interpolate(to_float(images), size, mode="bilinear", antialias=True, align_corners=False)
        return _average(self.network.layers(scaled.contiguous(memory_format=torch.channels_last)))


def _average(layers: Sequence[Tensor]) -> Tensor:
    """Means (B, K) of all layers' channels over the image."""
    return torch.cat([layer.mean((2, 3)) for layer in layers], 1)


@register("vgg-relu2-distance")
class VggRelu2Distance(DistanceMetric):
    protocol = "LPIPS's formula on relu1_1, relu1_2, relu2_1 of VGG-16, all alike"
    network_class, note = VggDistance, STAND_IN_NOTE


@register("vgg-relu2-frechet")
class VggRelu2Frechet(FrechetMetric):
    network_class, note = MeanVggFeatures, STAND_IN_NOTE
