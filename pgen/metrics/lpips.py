"""LPIPS, on AlexNet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pgen.body.batch import to_float
from pgen.data.weights import read_state_dict
from pgen.metrics.base import Batch, mean_rows, register
from pgen.metrics.networks import NetworkMetric, PublishedNetwork


class Lpips(PublishedNetwork):
    """``lpips``: the library of that name, on AlexNet (Zhang et al. 2018)."""

    title = "torchvision's AlexNet"
    url = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"  # it takes seconds to ask the library
    weights_name, libraries = "AlexNet", ("lpips",)
    weights_option: str | None = "alexnet_weights"

    def build(self) -> nn.Module:
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        trunk, state = network.net, read_state_dict(self.path)
        # slice2.3.weight is features.3.weight there.
        trunk.load_state_dict({name: state[f"features.{name.partition('.')[2]}"] for name in trunk.state_dict()})
        return network

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W) of uint8."""
        return self.network(to_float(generated), to_float(target)).flatten().double()


class DistanceMetric(NetworkMetric):
    """The mean distance of each result from its true photo, as a network measures it."""

    higher_is_better = False

    def rows(self, batch: Batch) -> Tensor:
        images = batch.generated.to(self.options.device), batch.target.to(self.options.device)
        return mean_rows(self.network(*images).cpu())


@register("lpips")
class LpipsMetric(DistanceMetric):
    protocol = "lpips 0.1 on AlexNet, RGB in [−1, 1], images as they are"
    network_class = Lpips
