"""Synthetic people and photos by number: any of them comes out the same, in any order."""

from __future__ import annotations

import numpy as np

from pgen.synthetic.person import Person, sample_person
from pgen.synthetic.render import Shot, sample_shot

_PERSON, _SHOT = 1, 2


def synthetic_person(seed: int, person_index: int) -> Person:
    """The person of that number. Other seeds have other people."""
    return sample_person(np.random.default_rng([seed, _PERSON, person_index]))


def synthetic_shot(seed: int, person_index: int, view_index: int, style: str = "fashion") -> Shot:
    """How the person is photographed the ``view_index``-th time."""
    return sample_shot(np.random.default_rng([seed, _SHOT, person_index, view_index]), style)
