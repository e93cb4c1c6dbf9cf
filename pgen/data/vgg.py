"""Where the weights of the perceptual features come from."""

from __future__ import annotations

import os
from pathlib import Path

from pgen.data.fetch import find_cached_weights
from pgen.data.weights import bundled_path, read_state_dict
from pgen.errors import InputError
from pgen.models.vgg import VggFeatures

#: Says "the layers that come with the package" where a path is asked for.
BUNDLED = "bundled"


def load_vgg_features(path: str | os.PathLike[str] | None = None, fetch: bool = False) -> tuple[VggFeatures, str]:
    """VGG-16 relu2_1, and where its weights are from.

    A given file (a state dict of torchvision's ``vgg16``: safetensors, or .pth loaded without executing anything), else
    torchvision's ImageNet weights if they are cached or, with ``fetch``, can be downloaded (528 MB, once), else the
    bundled layers. ``path`` = "bundled" chooses those.

    Raises:
        InputError: the file is damaged or holds other weights.
    """
    if path is not None and os.fspath(path) != BUNDLED:
        file, source = Path(path), os.fspath(path)
    else:
        cached = None if path is not None else _torchvision(fetch)
        file = cached or bundled_path("vgg16_relu2_1.safetensors")
        source = "torchvision's VGG-16" if cached else "the bundled VGG-16 layers"
    network = VggFeatures()
    state, wanted = read_state_dict(file), network.state_dict()
    missing = [name for name in wanted if name not in state or state[name].shape != wanted[name].shape]
    if missing:
        raise InputError(f"{source}: no VGG-16 weights ({missing[0]} is missing or of another shape)")
    network.load_state_dict({name: state[name].float() for name in wanted})
    return network, source


def _torchvision(fetch: bool) -> Path | None:
    """torchvision's weights in torch's cache, downloaded first if asked and possible."""
    from torchvision.models import VGG16_Weights

    return find_cached_weights(VGG16_Weights.IMAGENET1K_V1.url, fetch)
