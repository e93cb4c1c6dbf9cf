"""Where the features come from that a parser looks through."""

from __future__ import annotations

from torch import Tensor

from pgen.data.weights import bundled_path, read_state_dict

_PREFIX = "parser.trunk."


def load_trunk_state() -> dict[str, Tensor]:
    """State of a parser's trunk, float32: that of the bundled parser, which training leaves as it is."""
    state = read_state_dict(bundled_path("parser.safetensors"))
    return {name.removeprefix(_PREFIX): value.float() for name, value in state.items() if name.startswith(_PREFIX)}
