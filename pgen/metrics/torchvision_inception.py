"""Inception Score and FID with torchvision's Inception-v3, whose weights are others: under names of their own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.data.weights import read_state_dict
from pgen.metrics.base import register
from pgen.metrics.fid import Fid
from pgen.metrics.inception_score import InceptionScore
from pgen.metrics.networks import PublishedNetwork
from pgen.models.vgg import IMAGENET_MEAN, IMAGENET_STD


class TorchvisionInception(PublishedNetwork):
    """uint8 (B, 3, H, W) → float32 (B, 2048 + 1000): pool features, then logits."""

    title = "torchvision's Inception-v3"
    url = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"  # it takes seconds to ask the library
    features, libraries = "torchvision inception", ("torchvision",)
    weights_name, weights_option = "Inception-v3", "torchvision_inception_weights"
    about = "Inception-v3 of torchvision"

    def build(self) -> nn.Module:
        from torchvision.models import inception_v3

        network = inception_v3(weights=None, init_weights=False, transform_input=False).eval()
        network.load_state_dict(read_state_dict(self.path))
        self.classifier, network.fc = network.fc, nn.Identity()
        return network

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        scaled = F.interpolate(images.float() / 255, (299, 299), mode="bilinear", antialias=True, align_corners=False)
        mean, std = (torch.tensor(values).view(3, 1, 1).to(scaled) for values in (IMAGENET_MEAN, IMAGENET_STD))
        pooled = self.network((scaled - mean) / std)
        return torch.cat([pooled, self.classifier(pooled)], 1)


@register("is-torchvision", in_default=False)
class TorchvisionInceptionScore(InceptionScore):
    heeds = ("torchvision_inception_weights",)
    network_class = TorchvisionInception


@register("fid-torchvision", in_default=False)
class TorchvisionFid(Fid):
    heeds = ("against", "torchvision_inception_weights")
    network_class = TorchvisionInception
