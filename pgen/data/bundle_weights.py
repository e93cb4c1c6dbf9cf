"""Puts finished weights into the package, in float16.

Run ``python -m pgen.data.bundle_weights RUN/weights.safetensors NAME``.
"""

from __future__ import annotations

import sys

from pgen.data.weights import bundled, load_weights, save_weights
from pgen.errors import InputError


def main(source: str, name: str) -> None:
    """Write H_S and H_A of ``source`` as the bundled weights ``name``."""
    weights = load_weights(source)
    if weights.semantic is None or weights.appearance is None:
        raise InputError(f"{source}: bundled weights need both H_S and H_A; give those of a finished train-joint")
    networks = {"semantic": weights.semantic, "appearance": weights.appearance}
    save_weights(bundled(f"{name}.safetensors"), weights.frame, networks, weights.info, half=True, force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
