"""What people wear: garments as plain descriptions, and how they are drawn at random."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]  # RGB, 0-255

TEXTURES = ("plain", "horizontal", "vertical", "checked", "dotted", "printed", "chest")
NECKLINES = ("round", "scoop", "v", "boat", "high")
HAIR_STYLES = ("short", "bob", "shoulder", "long", "bun", "ponytail")

#: How far sleeves reach along the arm (0 shoulder, 1 elbow, 2 wrist), by name.
SLEEVES = {"none": (0.0, 0.0), "cap": (0.1, 0.22), "short": (0.4, 0.7), "elbow": (0.95, 1.35), "long": (1.85, 2.0)}


@dataclass(frozen=True)
class Texture:
    """A pattern that is printed on the garment itself. ``repeat`` is its length in metres."""

    kind: str
    color: Color
    second: Color
    repeat: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Top:
    """A top. Lengths in the reference coordinates of ``regions``.

    ``sleeve`` is how far it reaches along the arm (0 is a tank top), ``strap`` the width of a tank top's straps,
    ``hem`` the height of the lower hem, ``loose`` 0 (tight) to 1 (wide), ``depth`` 0-1 how low the neckline comes.
    """

    sleeve: float
    neckline: str
    depth: float
    hem: float
    loose: float
    tucked: bool
    texture: Texture
    strap: float = 0.05

    @property
    def sleeves(self) -> str:
        if self.sleeve <= 0:
            return "none"
        return "short" if self.sleeve < 0.8 else "elbow" if self.sleeve < 1.6 else "long"


@dataclass(frozen=True)
class Bottom:
    """Trousers, shorts or a skirt. ``length`` counts along the leg: 0 hip, 1 knee, 2 ankle; ``waist`` is a height."""

    kind: str
    length: float
    wide: float
    waist: float
    texture: Texture
    pleats: int = 0

    @property
    def lower(self) -> str:
        return {"trousers": "pants"}.get(self.kind, self.kind)

    @property
    def length_name(self) -> str:
        names = ((0.72, "mini"), (1.15, "knee"), (1.7, "midi"), (np.inf, "full"))
        return next(name for limit, name in names if self.length < limit)


@dataclass(frozen=True)
class Hair:
    """Hair of one of ``HAIR_STYLES``; ``end`` is the height it reaches down to, ``front`` whether it falls in front."""

    style: str
    color: Color
    end: float
    volume: float
    front: bool
    fringe: bool
    seed: int

    @property
    def name(self) -> str:
        return {"shoulder": "long", "bun": "tied", "ponytail": "tied"}.get(self.style, self.style)


@dataclass(frozen=True)
class Shoes:
    """Shoes; ``height`` is how far up the leg they reach (2 is the ankle)."""

    color: Color
    sole: Color
    height: float


def sample_color(rng: np.random.Generator) -> Color:
    """Any color of cloth: greys, white, black, muted and vivid hues."""
    kind = rng.choice(5, p=[0.16, 0.14, 0.12, 0.3, 0.28])
    if kind == 0:
        return _sample_gray(rng.uniform(225, 252), rng)
    if kind == 1:
        return _sample_gray(rng.uniform(22, 55), rng)
    if kind == 2:
        return _sample_gray(rng.uniform(80, 200), rng)
    saturation, value = (
        (rng.uniform(0.15, 0.5), rng.uniform(0.35, 0.95))
        if kind == 3
        else (
            rng.uniform(0.5, 0.92),
            rng.uniform(0.3, 0.92),
        )
    )
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, value)
    return (255 * red, 255 * green, 255 * blue)


def _sample_gray(value: float, rng: np.random.Generator) -> Color:
    tint = rng.normal(0, 4, 3)
    return tuple(float(np.clip(value + t, 8, 254)) for t in tint)  # type: ignore[return-value]


def sample_denim(rng: np.random.Generator) -> Color:
    shade = rng.uniform(0.55, 1.5)
    return (52 * shade + rng.uniform(-6, 6), 72 * shade, min(225.0, 108 * shade + rng.uniform(0, 18)))


def sample_texture(rng: np.random.Generator, patterned: float) -> Texture:
    """A texture, with some pattern in the share ``patterned`` of cases."""
    kind = "plain"
    if rng.random() < patterned:
        kind = str(rng.choice(TEXTURES[1:], p=[0.24, 0.1, 0.18, 0.14, 0.22, 0.12]))
    color = sample_color(rng)
    second = sample_color(rng)
    while np.abs(np.subtract(color, second)).sum() < 120:
        second = sample_color(rng)
    return Texture(kind, color, second, float(rng.uniform(0.03, 0.085)), int(rng.integers(1 << 30)))


def sample_top(rng: np.random.Generator, female: bool) -> Top:
    names = list(SLEEVES)
    name = str(rng.choice(names, p=[0.27, 0.08, 0.27, 0.1, 0.28] if female else [0.1, 0.02, 0.46, 0.08, 0.34]))
    low, high = SLEEVES[name]
    neckline = str(rng.choice(NECKLINES, p=[0.36, 0.2, 0.24, 0.12, 0.08] if female else [0.68, 0.04, 0.2, 0.02, 0.06]))
    if name == "none" and neckline == "high":
        neckline = "round"
    loose = float(np.clip(rng.beta(1.6, 2.0), 0, 1))
    tucked = bool(rng.random() < (0.3 if female else 0.15))
    hem = float(rng.choice([rng.uniform(0.24, 0.31), rng.uniform(0.09, 0.22)], p=[0.14, 0.86] if female else [0, 1]))
    strap = float(rng.choice([0.018, rng.uniform(0.03, 0.045), rng.uniform(0.05, 0.075)], p=[0.3, 0.35, 0.35]))
    return Top(
        sleeve=float(rng.uniform(low, high)),
        neckline=neckline,
        depth=float(rng.random()) * (1.0 if female else 0.35),
        hem=hem,
        loose=loose,
        tucked=tucked,
        texture=sample_texture(rng, 0.42),
        strap=strap if female else max(strap, 0.045),
    )


def sample_bottom(rng: np.random.Generator, female: bool) -> Bottom:
    kind = str(rng.choice(["trousers", "shorts", "skirt"], p=[0.5, 0.2, 0.3] if female else [0.78, 0.22, 0]))
    highest = 0.24 if kind == "skirt" else 0.33
    waist = float(rng.uniform(0.19, highest if female else 0.25))
    texture = sample_texture(rng, 0.3 if kind == "skirt" else 0.12)
    if kind != "skirt" and rng.random() < 0.5:
        texture = Texture("denim", sample_denim(rng), (225.0, 225.0, 230.0), 0.05, texture.seed)
    wide = float(rng.choice([rng.uniform(0, 0.15), rng.uniform(0.25, 0.5), rng.uniform(0.6, 1)], p=[0.5, 0.35, 0.15]))
    if kind == "trousers":
        length = float(rng.choice([rng.uniform(1.9, 2.02), rng.uniform(1.5, 1.85)], p=[0.8, 0.2]))
        return Bottom(kind, length, wide, waist, texture)
    if kind == "shorts":
        low, high = (0.3, 0.9) if female else (0.65, 1.05)
        return Bottom(kind, float(rng.uniform(low, high)), max(0.2, wide), waist, texture)
    length = float(
        rng.choice([rng.uniform(0.4, 0.7), rng.uniform(0.75, 1.12), rng.uniform(1.2, 1.65)], p=[0.42, 0.38, 0.2])
    )
    pleats = int(rng.choice([0, 6, 9]))
    return Bottom(kind, length, float(rng.random()), waist, texture, pleats)


def sample_hair(rng: np.random.Generator, female: bool) -> Hair:
    tones = [
        (26, 22, 20),
        (45, 30, 22),
        (72, 46, 28),
        (104, 68, 40),
        (150, 108, 66),
        (196, 160, 104),
        (120, 52, 28),
        (120, 116, 112),
    ]
    tone = np.array(tones[int(rng.choice(len(tones), p=[0.2, 0.2, 0.18, 0.14, 0.1, 0.09, 0.05, 0.04]))])
    color = np.clip(tone * rng.uniform(0.85, 1.18) + rng.normal(0, 4, 3), 10, 235)
    style = str(
        rng.choice(HAIR_STYLES, p=[0.1, 0.14, 0.18, 0.38, 0.1, 0.1] if female else [0.9, 0.02, 0.05, 0, 0.03, 0])
    )
    ends = {"bob": (0.74, 0.79), "shoulder": (0.62, 0.7), "long": (0.36, 0.58), "ponytail": (0.5, 0.72)}
    low, high = ends.get(style, (0.76, 0.76))
    return Hair(
        style=style,
        color=(float(color[0]), float(color[1]), float(color[2])),
        end=float(rng.uniform(low, high)),
        volume=float(rng.uniform(0.1, 1)),
        front=bool(rng.random() < 0.62),
        fringe=bool(rng.random() < 0.22),
        seed=int(rng.integers(1 << 30)),
    )


def sample_shoes(rng: np.random.Generator) -> Shoes:
    sole = (240.0, 240.0, 238.0) if rng.random() < 0.4 else (35.0, 32.0, 30.0)
    color = sample_color(rng) if rng.random() < 0.6 else _sample_gray(rng.uniform(20, 60), rng)
    return Shoes(color, sole, float(rng.choice([1.9, 1.8, 1.6], p=[0.6, 0.28, 0.12])))
