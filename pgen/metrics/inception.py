"""Features and class logits of Inception-v3, of two origins that must not be mixed up."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.data.pretrained import find_cached_weights
from pgen.data.weights import read_state_dict
from pgen.errors import InputError
from pgen.models.vgg import IMAGENET_MEAN, IMAGENET_STD

POOL = 2048  #: features before the classifier, the first columns of what the networks give

#: Where the libraries have their weights: known here too, as it takes seconds to ask them.
TENSORFLOW_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
TORCHVISION_URL = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"


class UnavailableError(InputError):
    """A metric cannot be computed here; the message says why and what would help."""


class TensorflowInception(nn.Module):
    """The graph ``inception-2015-12-05`` that published figures use, as torch-fidelity ported it.

    uint8 (B, 3, H, W) → float32 (B, 2048 + 1008): pool features, then logits without bias.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, fetch: bool = False) -> None:
        """``path``: torch-fidelity's weights file; without, torch's cache or, with ``fetch``, a download.

        Raises `UnavailableError` without weights or the library, and `InputError` if the file holds other weights.
        """
        super().__init__()
        self.path = found_weights(TENSORFLOW_URL, path, fetch, "the TensorFlow port of Inception-v3")
        try:
            from torch_fidelity import feature_extractor_inceptionv3 as port
        except ImportError:
            raise UnavailableError("torch-fidelity is not installed; pip install 'pgen[metrics]'") from None
        # The library would unpickle whatever the file holds: what it gets is a copy of the tensors alone.
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "inception.pth"
            torch.save(read_state_dict(self.path), plain)
            try:
                self.network = port.FeatureExtractorInceptionV3(
                    "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(plain)
                )
            except RuntimeError as error:
                raise _wrong(self.path, "torch-fidelity's Inception-v3", error) from None

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.network(images), 1)


class TorchvisionInception(nn.Module):
    """torchvision's Inception-v3, of other weights and classes: its scores have names of their own.

    uint8 (B, 3, H, W) → float32 (B, 2048 + 1000): pool features, then logits.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, fetch: bool = False) -> None:
        """``path``: torchvision's weights file; without, torch's cache or, with ``fetch``, a download.

        Raises `UnavailableError` without weights, and `InputError` if the file holds others.
        """
        super().__init__()
        self.path = found_weights(TORCHVISION_URL, path, fetch, "torchvision's Inception-v3")
        from torchvision.models import inception_v3

        self.network = inception_v3(weights=None, init_weights=False, transform_input=False).eval()
        try:
            self.network.load_state_dict(read_state_dict(self.path))
        except RuntimeError as error:
            raise _wrong(self.path, "torchvision's Inception-v3", error) from None
        self._pool: Tensor
        self.network.avgpool.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._pool = output.flatten(1)

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        scaled = F.interpolate(images.float() / 255, (299, 299), mode="bilinear", antialias=True, align_corners=False)
        mean, std = (torch.tensor(values).view(3, 1, 1).to(scaled) for values in (IMAGENET_MEAN, IMAGENET_STD))
        logits = self.network((scaled - mean) / std)
        return torch.cat([self._pool, logits], 1)


def found_weights(url: str, path: str | os.PathLike[str] | None, fetch: bool, what: str) -> Path:
    """The file of ``what``: ``path``, else that of ``url`` in torch's cache, downloaded with ``fetch``.

    Raises `UnavailableError` if there is none.
    """
    if path is not None:
        return Path(path)
    found = find_cached_weights(url, fetch)
    if found is None:
        raise UnavailableError(f"the weights of {what} are not here and cannot be fetched; give their path ({url})")
    return found


def _wrong(path: Path, what: str, error: RuntimeError) -> InputError:
    reason = " ".join(str(error).split())[:120]
    return InputError(f"{path}: these are not the weights of {what} ({reason})")
