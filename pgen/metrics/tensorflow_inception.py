"""Features and class logits of Inception-v3 as published figures use it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

from pgen.data.weights import read_state_dict
from pgen.metrics.base import PathLike, UnavailableError
from pgen.metrics.networks import PublishedNetwork

POOL = 2048  #: features before the classifier, the first columns of what the network gives


class TensorflowInception(PublishedNetwork):
    """The graph ``inception-2015-12-05`` that published figures use, as torch-fidelity ported it.

    uint8 (B, 3, H, W) → float32 (B, 2048 + 1008): pool features, then logits without bias.
    """

    title = "torch-fidelity's Inception-v3"
    # Known here too, as it takes seconds to ask the library.
    url = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
    features, libraries = "tensorflow inception", ("torch-fidelity",)
    weights_name, weights_option = "Inception-v3", "inception_weights"
    about = "Inception-v3 of 2015-12-05, TensorFlow port, unbiased logits"

    def __init__(self, path: PathLike | None = None, fetch: bool = False) -> None:
        super().__init__(path, fetch)
        try:
            from torch_fidelity import feature_extractor_inceptionv3 as port
        except ImportError:
            raise UnavailableError("torch-fidelity is not installed; pip install 'pgen[metrics]'") from None
        # The library would unpickle whatever the file holds: what it gets is a copy of the tensors alone.
        with tempfile.TemporaryDirectory() as folder, self.explain_wrong_weights():
            plain = Path(folder) / "inception.pth"
            torch.save(read_state_dict(self.path), plain)
            self.network = port.FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(plain)
            )

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.network(images), 1)
