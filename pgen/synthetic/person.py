"""A synthetic person: build, colors and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgen.synthetic.body import PHENOTYPES
from pgen.synthetic.wardrobe import (
    Bottom,
    Color,
    Hair,
    Shoes,
    Top,
    sample_bottom,
    sample_hair,
    sample_shoes,
    sample_top,
)

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
