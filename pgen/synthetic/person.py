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
_IRISES = ((72, 46, 28), (92, 62, 36), (84, 104, 78), (88, 116, 140), (48, 34, 26))


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
        """What is known of the clothes in words."""
        return {
            "sleeves": self.top.sleeves,
            "neckline": self.top.neckline,
            "top_texture": self.top.texture.kind,
            "lower": self.bottom.lower,
            "length": self.bottom.length_name,
            "hair": self.hair.name,
        }


def sample_person(rng: np.random.Generator) -> Person:
    """A person at random; two in three are women, as in fashion photos."""
    female = bool(rng.random() < 0.66)
    skin_tone = float(np.clip(rng.beta(1.1, 1.9), 0, 1)) * (len(_SKINS) - 1)
    lower = int(min(skin_tone, len(_SKINS) - 2))
    share = skin_tone - lower
    skin = (1 - share) * np.array(_SKINS[lower]) + share * np.array(_SKINS[lower + 1]) + rng.normal(0, 3, 3)
    top = sample_top(rng, female)
    bottom = sample_bottom(rng, female)
    return Person(
        phenotype=_sample_phenotype(rng, female, skin_tone),
        skin=(float(skin[0]), float(skin[1]), float(skin[2])),
        iris=tuple(float(v) for v in _IRISES[int(rng.integers(len(_IRISES)))]),  # type: ignore[arg-type]
        lips=float(rng.random() * 0.9) if female else 0.0,
        top=top,
        bottom=bottom,
        hair=sample_hair(rng, female),
        shoes=sample_shoes(rng),
    )


def _sample_phenotype(rng: np.random.Generator, female: bool, skin_tone: float) -> tuple[float, ...]:
    heavy = rng.random() < 0.12
    african = np.clip((skin_tone - 2.2) / 2.5, 0, 1)
    origin = np.array([african, (1 - african) * rng.random(), 0.0])
    origin[2] = max(0.0, 1 - origin.sum())
    values = {
        "gender": rng.uniform(0.86, 1.0) if female else rng.uniform(0.0, 0.14),
        "age": rng.uniform(0.58, 0.72),
        "muscle": rng.uniform(0.25, 0.5) if female else rng.uniform(0.4, 0.75),
        "weight": rng.uniform(0.55, 0.78) if heavy else rng.uniform(0.15, 0.45),
        "height": rng.uniform(0.42, 0.75),
        "proportions": rng.uniform(0.6, 1.0),
        "cupsize": rng.uniform(0.25, 0.62),
        "firmness": rng.uniform(0.5, 0.75),
        "african": origin[0],
        "asian": origin[1],
        "caucasian": origin[2],
    }
    return tuple(float(values[name]) for name in PHENOTYPES)
