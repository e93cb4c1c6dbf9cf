"""Weights of well-known networks: files of the user's, torch's cache, downloads, and what comes with the package."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path

import torch

from pgen.data.weights import bundled_path, read_state_dict
from pgen.errors import InputError
from pgen.models.vgg import VggFeatures

#: Says "the layers that come with the package" where a path is asked for.
BUNDLED = "bundled"

_SECONDS = 5.0  # how long to wait for an answer before going without


def find_cached_weights(url: str, fetch: bool) -> Path | None:
    """The file of ``url`` in torch's cache, downloaded first if ``fetch`` and possible; None if it is not to be had.

    The last part of the name, after a hyphen, begins the SHA-256 of the file, as torch's own do; it is checked.
    """
    name = url.rpartition("/")[2]
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if file.exists() or not fetch:
        return file if file.exists() else None
    digest = Path(name).stem.rpartition("-")[2]
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_SECONDS):
            file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digest, progress=False)
    except (OSError, RuntimeError):  # no network, or a damaged download
        return None
    return file


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
        from torchvision.models import VGG16_Weights

        cached = None if path is not None else find_cached_weights(VGG16_Weights.IMAGENET1K_V1.url, fetch)
        file = cached or bundled_path("vgg16_relu2_1.safetensors")
        source = "torchvision's VGG-16" if cached else "the bundled VGG-16 layers"
    network = VggFeatures()
    state, wanted = read_state_dict(file), network.state_dict()
    missing = [name for name in wanted if name not in state or state[name].shape != wanted[name].shape]
    if missing:
        raise InputError(f"{source}: no VGG-16 weights ({missing[0]} is missing or of another shape)")
    network.load_state_dict({name: state[name].float() for name in wanted})
    return network, source
