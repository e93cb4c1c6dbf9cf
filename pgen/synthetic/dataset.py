"""Synthetic examples by number: any of them can be rendered anywhere, in any order, and comes out the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pgen.data.example import Example, Split
from pgen.synthetic.person import Person, sample_person
from pgen.synthetic.render import Shot, render, sample_shot

_PERSON, _SHOT = 1, 2


def synthetic_person(seed: int, person_index: int) -> Person:
    """The person of that number. Other seeds have other people."""
    return sample_person(np.random.default_rng([seed, _PERSON, person_index]))


def synthetic_shot(seed: int, person_index: int, view_index: int, style: str = "fashion") -> Shot:
    """How the person is photographed the ``view_index``-th time."""
    return sample_shot(np.random.default_rng([seed, _SHOT, person_index, view_index]), style)


def synthetic_example(
    seed: int,
    person_index: int,
    view_index: int,
    size: tuple[int, int] = (256, 256),
    style: str = "fashion",
    split: Split = "train",
) -> Example:
    """One picture of one person; the same for the same arguments, whatever was rendered before.

    Args:
        seed: picks the world; held-out people are those of another seed.
        person_index, view_index: who, and which picture of them, counted from 0.
        size: (height, width).
        style: "fashion", "market" or "mixed".
        split: "train" or "test", passed on.

    Raises:
        InputError: an unknown style or too small a size.
    """
    person = synthetic_person(seed, person_index)
    rendering = render(person, synthetic_shot(seed, person_index, view_index, style), size)
    return Example(
        name=f"p{person_index:05d}_v{view_index}.png",
        image=rendering.image,
        parsing=rendering.parsing,
        pose=rendering.pose,
        person=f"p{person_index:05d}",
        split=split,
        attributes=rendering.attributes,
    )


def synthetic_examples(
    people: int,
    poses: int,
    seed: int,
    size: tuple[int, int] = (256, 256),
    style: str = "fashion",
    first: int = 0,
    split: Split = "train",
) -> Iterator[Example]:
    """``poses`` pictures of each of ``people`` people, from number ``first`` on, person by person."""
    for person_index in range(first, first + people):
        for view_index in range(poses):
            yield synthetic_example(seed, person_index, view_index, size, style, split)
