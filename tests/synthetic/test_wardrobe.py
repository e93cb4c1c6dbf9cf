from __future__ import annotations

from collections import Counter

import numpy as np

from pgen.synthetic.person import HAIR_STYLES, NECKLINES, TEXTURES, sample_person


def test_the_whole_wardrobe_is_worn() -> None:
    people = [sample_person(np.random.default_rng([3, number])) for number in range(500)]
    seen = {name: Counter(person.attributes[name] for person in people) for name in people[0].attributes}
    assert set(seen["sleeves"]) == {"none", "short", "elbow", "long"}
    assert set(seen["lower"]) == {"pants", "shorts", "skirt"}
    assert set(seen["neckline"]) == set(NECKLINES)
    assert set(TEXTURES) <= set(seen["top_texture"])
    assert {person.hair.style for person in people} == set(HAIR_STYLES)
    assert {"short", "bob", "long", "tied"} == set(seen["hair"])
    assert all(min(counts.values()) >= 5 for counts in seen.values())


def test_people_differ_but_a_seed_is_one_person() -> None:
    people = {sample_person(np.random.default_rng(number)) for number in range(20)}
    assert len(people) == 20
    assert sample_person(np.random.default_rng(7)) in people
