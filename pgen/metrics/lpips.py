"""LPIPS, on AlexNet."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.weights import read_state_dict
from pgen.metrics.base import Batch, mean_rows, register
from pgen.metrics.networks import NetworkMetric, PublishedNetwork

_AT_ONCE = 8  # images: features of many large ones would take gigabytes


def normalize_layer(layer: Tensor) -> Tensor:
    """Features (B, C, h, w) divided by their length over the channels."""
    return layer / (torch.linalg.vector_norm(layer, dim=1, keepdim=True) + 1e-10)


class ComparingNetwork(PublishedNetwork):
    """A network whose layers tell how far apart two images are, uint8 (B, 3, H, W): distances (B,), float64.

    LPIPS's formula: features are divided by their length over the channels, and squared differences weighed and
    averaged, layer by layer; the sum of the layers is the distance.
    """

    @abstractmethod
    def describe(self, images: Tensor) -> list[Tensor]:
        """Normalized features of each layer, (B, C, h, w)."""

    @abstractmethod
    def weigh(self, level: int, squares: Tensor) -> Tensor:
        """What squared differences (B, C, h, w) of a layer are worth: (B,)."""

    @torch.inference_mode()
    def describe_target(self, images: Tensor) -> list[Tensor]:
        """The features of true photos, for `measure`."""
        return self.describe(images.contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def measure(self, generated: Tensor, target: list[Tensor]) -> Tensor:
        """Distances (B,) of images from the photos, or the one photo, with the features ``target``."""
        layers = self.describe(generated.contiguous(memory_format=torch.channels_last))
        pairs = enumerate(zip(layers, target, strict=True))
        return torch.stack([self.weigh(level, (a - b).square()).double() for level, (a, b) in pairs]).sum(0)

    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        return self.measure(generated, self.describe_target(target))


class Lpips(ComparingNetwork):
    """``lpips``: the library of that name, on AlexNet (Zhang et al. 2018)."""

    title = "torchvision's AlexNet"
    url = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"  # it takes seconds to ask the library
    weights_name, libraries, smallest = "AlexNet", ("lpips",), 31
    weights_option: str | None = "alexnet_weights"

    def build(self) -> nn.Module:
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        trunk, state = network.net, read_state_dict(self.path)
        # slice2.3.weight is features.3.weight there.
        trunk.load_state_dict({name: state[f"features.{name.partition('.')[2]}"] for name in trunk.state_dict()})
        return network.to(memory_format=torch.channels_last)

    def describe(self, images: Tensor) -> list[Tensor]:
        return [normalize_layer(layer) for layer in self.network.net(self.network.scaling_layer(to_float(images)))]

    def weigh(self, level: int, squares: Tensor) -> Tensor:
        weighed: Tensor = self.network.lins[level](squares)
        return weighed.mean((1, 2, 3))


class DistanceMetric(NetworkMetric):
    """The mean distance of each result from its true photo, as a `ComparingNetwork` measures it."""

    higher_is_better = False
    network: ComparingNetwork

    def rows(self, batch: Batch) -> Tensor:
        distances = torch.empty(len(batch.generated), dtype=torch.float64)
        for group in batch.group_by_target():
            target = self.network.describe_target(batch.target[group[:1]].to(self.options.device))
            for start in range(0, len(group), _AT_ONCE):
                which = group[start : start + _AT_ONCE]
                images = batch.generated[which].to(self.options.device)
                distances[which] = self.network.measure(images, target).cpu()
        return mean_rows(distances)


@register("lpips")
class LpipsMetric(DistanceMetric):
    heeds = ("alexnet_weights",)
    protocol = "lpips 0.1 on AlexNet, RGB in [−1, 1], images as they are"
    network_class = Lpips
