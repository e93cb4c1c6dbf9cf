"""Puts finished weights into the package, in float16.

Run ``python -m pgen.data.bundle_weights RUN/weights.safetensors NAME``.
"""

from __future__ import annotations

import sys

from torch import nn

from pgen.data.weights import bundled, load_weights, save_weights
from pgen.errors import InputError


def main(source: str, name: str) -> None:
    """Write H_S and H_A of ``source``, or the parser, as the bundled weights ``name``."""
    weights = load_weights(source)
    networks: dict[str, nn.Module]
    if weights.parser is not None:
        networks = {"parser": weights.parser}
    elif weights.semantic is not None and weights.appearance is not None:
        networks = {"semantic": weights.semantic, "appearance": weights.appearance}
    else:
        raise InputError(
            f"{source}: bundled weights are a parser, or both H_S and H_A; give those of a finished train-parser or "
            "train-joint"
        )
    save_weights(bundled(f"{name}.safetensors"), weights.frame, networks, weights.info, half=True, force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
