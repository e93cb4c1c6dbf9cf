"""Perceptual distances between images: LPIPS, and an offline stand-in under its own name."""

from __future__ import annotations

import os

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.data.vgg import BUNDLED, perceptual_features
from pgen.models.perceptual import PerceptualFeatures


class VggDistance(nn.Module):
    """``vgg-relu2-distance``: LPIPS's formula on the first three layers of VGG-16, without learned weights.

    Features of relu1_1, relu1_2 and relu2_1 are divided by their length over the channels; squared differences are
    summed over the channels and averaged over the pixels and the three layers. Every layer counts the same. It orders
    blurs, shifts and noise sensibly and needs no download, but it is not LPIPS: figures can't be compared.
    """

    def __init__(self, path: str | os.PathLike[str] | None = BUNDLED) -> None:
        super().__init__()
        self.network, self.source = perceptual_features(path)

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W), uint8, or float in [−1, 1]."""
        both = _layers(self.network, _signed(torch.cat([generated, target])))
        return torch.stack([_unit_difference(layer) for layer in both]).mean(0)


def _signed(images: Tensor) -> Tensor:
    """Images in [−1, 1], from bytes if need be."""
    return images if images.is_floating_point() else images.float() / 127.5 - 1


def _layers(network: PerceptualFeatures, images: Tensor) -> list[Tensor]:
    first = F.relu(network.features["0"]((images - network.mean) / network.std))
    second = F.relu(network.features["2"](first))
    return [first, second, F.relu(network.features["5"](F.max_pool2d(second, 2)))]


def _unit_difference(features: Tensor) -> Tensor:
    """Mean squared difference (B,) of the unit features of the first half of a batch from those of the second."""
    unit = features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)
    half = len(features) // 2
    return (unit[:half] - unit[half:]).square().sum(1).mean((1, 2)).double()
