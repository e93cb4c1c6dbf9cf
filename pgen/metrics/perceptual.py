"""Perceptual distances between images: LPIPS, and an offline stand-in under its own name."""

from __future__ import annotations

import os

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.pretrained import BUNDLED, load_vgg_features
from pgen.data.weights import read_state_dict
from pgen.errors import InputError
from pgen.metrics.inception import UnavailableError, found_weights
from pgen.models.vgg import VggFeatures

#: Where torchvision has the weights: known here too, as it takes seconds to ask it.
ALEXNET_URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"


class VggDistance(nn.Module):
    """``vgg-relu2-distance``: LPIPS's formula on the first three layers of VGG-16, without learned weights.

    Features of relu1_1, relu1_2 and relu2_1 are divided by their length over the channels; squared differences are
    summed over the channels and averaged over the pixels and the three layers. Every layer counts the same. It orders
    blurs, shifts and noise sensibly and needs no download, but it is not LPIPS: figures can't be compared.
    """

    def __init__(self, path: str | os.PathLike[str] | None = BUNDLED) -> None:
        super().__init__()
        self.network, self.source = load_vgg_features(path)

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W), uint8, or float in [−1, 1]."""
        both = _layers(self.network, _signed(torch.cat([generated, target])))
        return torch.stack([_unit_difference(layer) for layer in both]).mean(0)


class Lpips(nn.Module):
    """``lpips``: the library of that name, on AlexNet (Zhang et al. 2018)."""

    def __init__(self, path: str | os.PathLike[str] | None = None, fetch: bool = False) -> None:
        """``path``: torchvision's weights of AlexNet; without, torch's cache or, with ``fetch``, a download.

        Raises `UnavailableError` without weights or the library, and `InputError` if the file holds other weights.
        """
        super().__init__()
        self.path = found_weights(ALEXNET_URL, path, fetch, "AlexNet")
        try:
            import lpips
        except ImportError:
            raise UnavailableError("lpips is not installed; pip install 'pgen[metrics]'") from None
        self.network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        state = read_state_dict(self.path)
        for name, parameter in self.network.net.named_parameters():
            own = state.get(f"features.{name.partition('.')[2]}")  # slice2.3.weight is features.3.weight there
            if own is None or own.shape != parameter.shape:
                raise InputError(f"{self.path}: these are not torchvision's weights of AlexNet")
            parameter.data.copy_(own)

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W), uint8, or float in [−1, 1]."""
        return self.network(_signed(generated), _signed(target)).flatten().double()


class MeanVggFeatures(nn.Module):
    """Means over the image of the features that `VggDistance` compares: uint8 (B, 3, H, W) → float32 (B, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.source = load_vgg_features(BUNDLED)

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([layer.mean((2, 3)) for layer in _layers(self.network, _signed(images))], 1)


def _signed(images: Tensor) -> Tensor:
    """Images in [−1, 1], from bytes if need be."""
    return images if images.is_floating_point() else to_float(images)


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
