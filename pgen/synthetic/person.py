"""A synthetic person: build, colors, hair and clothes as plain descriptions, and how they are drawn at random."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgen.synthetic.body import PHENOTYPES

Color = tuple[float, float, float]  # RGB, 0-255

TEXTURES = ("plain", "horizontal", "vertical", "checked", "dotted", "printed", "chest")
NECKLINES = ("round", "scoop", "v", "boat", "high")
HAIR_STYLES = ("short", "bob", "shoulder", "long", "bun", "ponytail")

#: The colors of hair, and how often they are seen.
_HAIR_TONES = {
    (26, 22, 20): 0.2, (45, 30, 22): 0.2, (72, 46, 28): 0.18, (104, 68, 40): 0.14,
    (150, 108, 66): 0.1, (196, 160, 104): 0.09, (120, 52, 28): 0.05, (120, 116, 112): 0.04,
}  # fmt: skip

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


@dataclass(frozen=True)
class Bottom:
    """Trousers, shorts or a skirt. ``length`` counts along the leg: 0 hip, 1 knee, 2 ankle; ``waist`` is a height."""

    kind: str
    length: float
    wide: float
    waist: float
    texture: Texture
    pleats: int = 0


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


@dataclass(frozen=True)
class Shoes:
    """Shoes; ``height`` is how far up the leg they reach (2 is the ankle)."""

    color: Color
    sole: Color
    height: float


def sample_color(rng: np.random.Generator) -> Color:
    """Any color of cloth: white, black, greys, muted and vivid hues."""
    kind = rng.choice(["white", "black", "gray", "muted", "vivid"], p=[0.16, 0.14, 0.12, 0.3, 0.28])
    grays = {"white": (225, 252), "black": (22, 55), "gray": (80, 200)}
    if kind in grays:
        return _sample_gray(rng, *grays[kind])
    saturation = rng.uniform(0.15, 0.5) if kind == "muted" else rng.uniform(0.5, 0.92)
    value = rng.uniform(0.35, 0.95) if kind == "muted" else rng.uniform(0.3, 0.92)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, value)
    return (255 * red, 255 * green, 255 * blue)


def _sample_gray(rng: np.random.Generator, low: float, high: float) -> Color:
    red, green, blue = np.clip(rng.uniform(low, high) + rng.normal(0, 4, 3), 8, 254).tolist()
    return red, green, blue


def _sample_one_of(rng: np.random.Generator, *ranges: tuple[float, float], p: Sequence[float]) -> float:
    """A number from one of the ranges, each of which has the probability in ``p``."""
    return float(rng.choice([rng.uniform(low, high) for low, high in ranges], p=p))


def sample_texture(rng: np.random.Generator, patterned: float) -> Texture:
    """A texture, with some pattern in the share ``patterned`` of cases."""
    kind = "plain"
    if rng.random() < patterned:
        kind = str(rng.choice(TEXTURES[1:], p=[0.24, 0.1, 0.18, 0.14, 0.22, 0.12]))
    color = sample_color(rng)
    second = sample_color(rng)
    while np.abs(np.subtract(color, second)).sum() < 120:
        second = sample_color(rng)
    return Texture(kind, color, second, rng.uniform(0.03, 0.085), int(rng.integers(1 << 30)))


def sample_top(rng: np.random.Generator, female: bool) -> Top:
    name = str(rng.choice([*SLEEVES], p=[0.27, 0.08, 0.27, 0.1, 0.28] if female else [0.1, 0.02, 0.46, 0.08, 0.34]))
    neckline = str(rng.choice(NECKLINES, p=[0.36, 0.2, 0.24, 0.12, 0.08] if female else [0.68, 0.04, 0.2, 0.02, 0.06]))
    loose = float(np.clip(rng.beta(1.6, 2.0), 0, 1))
    tucked = rng.random() < (0.3 if female else 0.15)
    hem = _sample_one_of(rng, (0.24, 0.31), (0.09, 0.22), p=[0.14, 0.86] if female else [0, 1])
    strap = float(rng.choice([0.018, rng.uniform(0.03, 0.045), rng.uniform(0.05, 0.075)], p=[0.3, 0.35, 0.35]))
    return Top(
        sleeve=rng.uniform(*SLEEVES[name]),
        neckline="round" if name == "none" and neckline == "high" else neckline,
        depth=rng.random() * (1.0 if female else 0.35),
        hem=hem,
        loose=loose,
        tucked=tucked,
        texture=sample_texture(rng, 0.42),
        strap=strap if female else max(strap, 0.045),
    )


def sample_bottom(rng: np.random.Generator, female: bool) -> Bottom:
    kind = str(rng.choice(["trousers", "shorts", "skirt"], p=[0.5, 0.2, 0.3] if female else [0.78, 0.22, 0]))
    skirt = kind == "skirt"
    waist = rng.uniform(0.19, 0.25 if not female else 0.24 if skirt else 0.33)
    texture = sample_texture(rng, 0.3 if skirt else 0.12)
    if not skirt and rng.random() < 0.5:
        shade = rng.uniform(0.55, 1.5)
        denim = (52 * shade + rng.uniform(-6, 6), 72 * shade, min(225.0, 108 * shade + rng.uniform(0, 18)))
        texture = Texture("denim", denim, (225.0, 225.0, 230.0), 0.05, texture.seed)
    wide = _sample_one_of(rng, (0, 0.15), (0.25, 0.5), (0.6, 1), p=[0.5, 0.35, 0.15])
    if kind == "trousers":
        return Bottom(kind, _sample_one_of(rng, (1.9, 2.02), (1.5, 1.85), p=[0.8, 0.2]), wide, waist, texture)
    if kind == "shorts":
        length = rng.uniform(0.3, 0.9) if female else rng.uniform(0.65, 1.05)
        return Bottom(kind, length, max(0.2, wide), waist, texture)
    length = _sample_one_of(rng, (0.4, 0.7), (0.75, 1.12), (1.2, 1.65), p=[0.42, 0.38, 0.2])
    pleats = int(rng.choice([0, 6, 9]))
    return Bottom(kind, length, rng.random(), waist, texture, pleats)


def sample_hair(rng: np.random.Generator, female: bool) -> Hair:
    tone = list(_HAIR_TONES)[int(rng.choice(len(_HAIR_TONES), p=list(_HAIR_TONES.values())))]
    color = np.clip(np.array(tone) * rng.uniform(0.85, 1.18) + rng.normal(0, 4, 3), 10, 235)
    shares = [0.1, 0.14, 0.18, 0.38, 0.1, 0.1] if female else [0.9, 0.02, 0.05, 0, 0.03, 0]
    style = str(rng.choice(HAIR_STYLES, p=shares))
    ends = {"bob": (0.74, 0.79), "shoulder": (0.62, 0.7), "long": (0.36, 0.58), "ponytail": (0.5, 0.72)}
    return Hair(
        style=style,
        color=(float(color[0]), float(color[1]), float(color[2])),
        end=rng.uniform(*ends.get(style, (0.76, 0.76))),
        volume=rng.uniform(0.1, 1),
        front=rng.random() < 0.62,
        fringe=rng.random() < 0.22,
        seed=int(rng.integers(1 << 30)),
    )


def sample_shoes(rng: np.random.Generator) -> Shoes:
    sole = (240.0, 240.0, 238.0) if rng.random() < 0.4 else (35.0, 32.0, 30.0)
    color = sample_color(rng) if rng.random() < 0.6 else _sample_gray(rng, 20, 60)
    return Shoes(color, sole, float(rng.choice([1.9, 1.8, 1.6], p=[0.6, 0.28, 0.12])))


_SKINS = ((243, 210, 187), (232, 188, 158), (214, 160, 122), (186, 128, 88), (142, 92, 62), (96, 62, 44))
_IRISES = ((72.0, 46.0, 28.0), (92.0, 62.0, 36.0), (84.0, 104.0, 78.0), (88.0, 116.0, 140.0), (48.0, 34.0, 26.0))


@dataclass(frozen=True)
class Person:
    """Who is rendered; the same in every view. Garments may be swapped with ``dataclasses.replace``."""

    phenotype: tuple[float, ...]  # as body.PHENOTYPES, 0-1
    skin: Color
    iris: Color
    lips: float  # 0 natural to 1 made up
    top: Top
    bottom: Bottom
    hair: Hair
    shoes: Shoes

    @property
    def attributes(self) -> dict[str, str]:
        """The clothes in words."""
        sleeve, length = self.top.sleeve, self.bottom.length
        return {
            "sleeves": "none" if sleeve <= 0 else "short" if sleeve < 0.8 else "elbow" if sleeve < 1.6 else "long",
            "neckline": self.top.neckline,
            "top_texture": self.top.texture.kind,
            "lower": {"trousers": "pants"}.get(self.bottom.kind, self.bottom.kind),
            "length": "mini" if length < 0.72 else "knee" if length < 1.15 else "midi" if length < 1.7 else "full",
            "hair": {"shoulder": "long", "bun": "tied", "ponytail": "tied"}.get(self.hair.style, self.hair.style),
        }


def sample_person(rng: np.random.Generator) -> Person:
    """A person at random; two in three are women, as in fashion photos."""
    female = bool(rng.random() < 0.66)
    skin_tone = float(np.clip(rng.beta(1.1, 1.9), 0, 1)) * (len(_SKINS) - 1)
    lower = int(min(skin_tone, len(_SKINS) - 2))
    share = skin_tone - lower
    skin = (1 - share) * np.array(_SKINS[lower]) + share * np.array(_SKINS[lower + 1]) + rng.normal(0, 3, 3)
    top, bottom = sample_top(rng, female), sample_bottom(rng, female)
    return Person(
        phenotype=_sample_phenotype(rng, female, skin_tone),
        skin=(float(skin[0]), float(skin[1]), float(skin[2])),
        iris=_IRISES[int(rng.integers(len(_IRISES)))],
        lips=rng.random() * 0.9 if female else 0.0,
        top=top,
        bottom=bottom,
        hair=sample_hair(rng, female),
        shoes=sample_shoes(rng),
    )


def _sample_phenotype(rng: np.random.Generator, female: bool, skin_tone: float) -> tuple[float, ...]:
    heavy = rng.random() < 0.12
    african = np.clip((skin_tone - 2.2) / 2.5, 0, 1)
    asian = (1 - african) * rng.random()
    values = {
        "gender": rng.uniform(0.86, 1.0) if female else rng.uniform(0.0, 0.14),
        "age": rng.uniform(0.58, 0.72),
        "muscle": rng.uniform(0.25, 0.5) if female else rng.uniform(0.4, 0.75),
        "weight": rng.uniform(0.55, 0.78) if heavy else rng.uniform(0.15, 0.45),
        "height": rng.uniform(0.42, 0.75),
        "proportions": rng.uniform(0.6, 1.0),
        "cupsize": rng.uniform(0.25, 0.62),
        "firmness": rng.uniform(0.5, 0.75),
        "african": african,
        "asian": asian,
        "caucasian": max(0.0, 1 - (african + asian)),
    }
    return tuple(float(values[name]) for name in PHENOTYPES)
