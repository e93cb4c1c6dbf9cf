"""Weights small enough for tests: random, but the same every time."""

from __future__ import annotations

from pathlib import Path

import torch

from pgen.data.weights import save_weights
from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.semantic import SemanticConfig, SemanticGenerator

FRAME = (64, 64)
WIDTHS = (4, 8, 8, 8, 8, 8)


def write_weights(
    path: Path, semantic: bool = True, appearance: bool = True, frame: tuple[int, int] = FRAME, seed: int = 0
) -> Path:
    """A weights file with H_S and H_A, or without one of them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        networks: dict[str, torch.nn.Module] = {}
        if semantic:
            networks["semantic"] = SemanticGenerator(SemanticConfig(WIDTHS, warped_levels=2))
        if appearance:
            config = AppearanceConfig(WIDTHS, local_widths=(), guide_channels=4, label_aware_levels=2)
            networks["appearance"] = build_appearance_generator(config)
    save_weights(path, frame, networks)
    return path
