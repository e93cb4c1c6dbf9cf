"""LPIPS, on AlexNet."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.batch import to_float
from pgen.data.weights import read_state_dict
from pgen.errors import InputError
from pgen.metrics.base import Batch, Metric, MetricOptions, PathLike, UnavailableError, mean_rows, register
from pgen.metrics.networks import PublishedNetwork, find_network_weights, load_network

#: Where torchvision has the weights: known here too, as it takes seconds to ask it.
ALEXNET_URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"


class Lpips(PublishedNetwork):
    """``lpips``: the library of that name, on AlexNet (Zhang et al. 2018)."""

    weights_name, weights_option, libraries = "AlexNet", "alexnet_weights", ("lpips",)

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        """``path``: torchvision's weights of AlexNet; without, torch's cache or, with ``fetch``, a download.

        Raises `UnavailableError` without weights or the library, and `InputError` if the file holds other weights.
        """
        super().__init__()
        self.path = find_network_weights(ALEXNET_URL, path, fetch, "AlexNet")
        try:
            import lpips
        except ImportError:
            raise UnavailableError("lpips is not installed; pip install 'pgen[metrics]'") from None
        self.network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        state = read_state_dict(self.path)
        for name, parameter in self.network.net.named_parameters():
            value = state.get(f"features.{name.partition('.')[2]}")  # slice2.3.weight is features.3.weight there
            if value is None or value.shape != parameter.shape:
                raise InputError(f"{self.path}: these are not torchvision's weights of AlexNet")
            parameter.data.copy_(value)

    @torch.inference_mode()
    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Distances (B,) float64 of images (B, 3, H, W) of uint8."""
        return self.network(to_float(generated), to_float(target)).flatten().double()


class DistanceMetric(Metric):
    """The mean distance of each result from its true photo, as a network measures it."""

    network_class: type[PublishedNetwork]
    higher_is_better = False

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.network, self.weights = load_network(self.network_class, options)
        self.libraries = self.network.libraries

    def rows(self, batch: Batch) -> Tensor:
        images = batch.generated.to(self.options.device), batch.target.to(self.options.device)
        return mean_rows(self.network(*images).cpu())


@register("lpips")
class LpipsMetric(DistanceMetric):
    protocol = "lpips 0.1 on AlexNet, RGB in [−1, 1], images as they are"
    network_class = Lpips
