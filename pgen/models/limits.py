"""Sizes that networks may have: beyond them a configuration is a slip or malice, and would take all time or memory."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

#: Smallest and largest values of fields, by name; of lists, of each entry.
_LIMITS: dict[str, tuple[float, float]] = {
    "widths": (1, 2048), "local_widths": (1, 2048), "width": (1, 1024), "depths": (1, 64), "blocks": (0, 64),
    "layers": (1, 8), "channels": (1, 256), "warped_levels": (0, 16), "label_aware_levels": (0, 16),
}  # fmt: skip
_GUIDE_CHANNELS = (0, 4)  # of none, or of a picture and where it is known
_MOST_LEVELS = 12


def check_sizes(config: Any) -> None:
    """Raises ValueError for a network's configuration with a size beyond its limits."""
    for name in (field.name for field in fields(config)):
        value = getattr(config, name)
        sizes = value if isinstance(value, tuple) else (value,)
        if name in _LIMITS:
            least, most = _LIMITS[name]
            if len(sizes) > _MOST_LEVELS or not all(least <= size <= most for size in sizes):
                levels = f", at most {_MOST_LEVELS} of them" if isinstance(value, tuple) else ""
                raise ValueError(f"{name} is from {least} to {most:,}{levels}, not {value}")
        elif name == "guide_channels" and value not in _GUIDE_CHANNELS:
            raise ValueError(f"guide_channels is 0 or 4, not {value}")
        elif name == "dropout" and not 0 <= value < 1:
            raise ValueError(f"dropout is from 0 to less than 1, not {value}")
