"""A folder of synthetic people with annotations of one's own choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.data.trees import Shot, shots, write_csv, write_map, write_photo

SHOTS = shots((128, 128))


def write_set(
    root: Path,
    pose: Callable[[Shot], np.ndarray] = lambda shot: shot.example.pose,
    parsing: Callable[[Shot], np.ndarray] = lambda shot: shot.example.parsing,
) -> Path:
    for shot in SHOTS:
        write_photo(root / "images" / shot.nested, shot.example.image)
        write_map(root / "parsing" / shot.nested.replace(".jpg", ".npy"), parsing(shot))
    write_csv(root / "keypoints.csv", {shot.nested: pose(shot) for shot in SHOTS})
    return root
