"""What is behind the person, and the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Light:
    """One lamp of direction ``towards`` (unit, from the person) over an even light; strengths add up to about 1."""

    towards: tuple[float, float, float]
    lamp: float
    even: float
    warmth: float


@dataclass(frozen=True)
class Background:
    """``kind`` is "studio" (plain, soft gradient) or "street" (blurred colors)."""

    kind: str
    tone: tuple[float, float, float]
    gradient: float
    shadow: float
    seed: int


def sample_light(rng: np.random.Generator, style: str) -> Light:
    direction = np.array([rng.uniform(-0.9, 0.9), -rng.uniform(0.5, 1.0), rng.uniform(0.2, 0.9)])
    x, y, z = (direction / np.linalg.norm(direction)).tolist()
    lamp = rng.uniform(0.25, 0.5) if style == "fashion" else rng.uniform(0.15, 0.55)
    total = rng.uniform(0.98, 1.08) if style == "fashion" else rng.uniform(0.7, 1.05)
    return Light((x, y, z), lamp, total - lamp, rng.normal(0, 0.015))


def sample_background(rng: np.random.Generator, style: str) -> Background:
    seed = int(rng.integers(1 << 30))
    if style == "market":
        tone = rng.uniform(70, 200, 3) * 0.4 + rng.uniform(70, 200) * 0.6
    elif (choice := rng.random()) < 0.45:
        tone = rng.uniform(222, 246) + rng.normal(0, 2, 3)
    elif choice < 0.75:
        tone = np.full(3, rng.uniform(247, 255))
    elif choice < 0.9:
        tone = rng.uniform(165, 222) + rng.normal(0, 5, 3)
    else:
        tone = rng.uniform(185, 245, 3)
    red, green, blue = np.clip(tone, 0, 255).tolist()
    kind = "street" if style == "market" else "studio"
    return Background(kind, (red, green, blue), rng.uniform(0, 22), rng.uniform(0, 0.3), seed)


def paint_background(
    background: Background, size: tuple[int, int], feet: tuple[float, float, float] | None
) -> NDArray[np.float32]:
    """The empty scene (H, W, 3), 0-255; ``feet`` is (x, y, radius) of a soft shadow on the floor, in pixels."""
    height, width = size
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    scene = np.tile(np.array(background.tone, dtype=np.float32), (height, width, 1))
    if background.kind == "street":
        scene += _paint_street(background, size)
    else:
        scene -= background.gradient * (0.55 * rows + 0.45 * across**2)
    if feet is not None:
        x, y, radius = feet
        far_x = (np.arange(width, dtype=np.float32)[None] - x) / radius
        far_y = (np.arange(height, dtype=np.float32)[:, None] - y) / (0.22 * radius)
        scene *= (1 - background.shadow * np.exp(-(far_x**2) - far_y**2))[..., None]
    return scene


def _paint_street(background: Background, size: tuple[int, int]) -> NDArray[np.float32]:
    """Soft patches, posts and a floor that starts somewhere behind the legs."""
    rng = np.random.default_rng(background.seed)
    height, width = size
    coarse = rng.normal(0, 1, (9, 6, 1)) * 24 + rng.normal(0, 1, (9, 6, 3)) * 6
    coarse[int(rng.integers(5, 8)) :] += rng.normal(0, 28) + rng.normal(0, 6, 3)
    for _ in range(int(rng.integers(0, 3))):
        coarse[: int(rng.integers(3, 9)), int(rng.integers(0, 6))] += rng.normal(0, 35) + rng.normal(0, 14, 3)
    smooth = ndimage.zoom(coarse, (height / 9, width / 6, 1), order=1, grid_mode=True, mode="nearest")
    smooth = ndimage.uniform_filter(smooth, (height // 24 + 1, width // 16 + 1, 1))
    grain = rng.normal(0, 3, (height, width, 1))
    return np.asarray(smooth + grain, dtype=np.float32)
