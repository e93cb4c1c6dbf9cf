from __future__ import annotations

import numpy as np

from pgen.synthetic.dataset import synthetic_example, synthetic_examples
from pgen.synthetic.person_mesh import build_figure

SIZE = (64, 64)


def test_an_item_does_not_depend_on_what_was_rendered_before() -> None:
    first = synthetic_example(5, 2, 1, SIZE)
    for person in range(3):
        synthetic_example(6, person, 0, SIZE)
    build_figure.cache_clear()
    again = synthetic_example(5, 2, 1, SIZE)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.parsing.tobytes() == again.parsing.tobytes()
    assert first.pose.tobytes() == again.pose.tobytes()
    assert first.attributes == again.attributes


def test_examples_in_order() -> None:
    examples = list(synthetic_examples(2, 3, seed=5, size=SIZE, first=12, split="test"))
    assert [example.name for example in examples] == [f"p000{p}_v{v}.png" for p in (12, 13) for v in range(3)]
    assert [example.person for example in examples] == ["p00012"] * 3 + ["p00013"] * 3
    assert {example.split for example in examples} == {"test"}
    alone = synthetic_example(5, 13, 2, SIZE)
    assert examples[-1].image.tobytes() == alone.image.tobytes()
    assert len({example.image.tobytes() for example in examples}) == 6


def test_views_show_one_person_and_seeds_others() -> None:
    one, other = synthetic_example(5, 0, 0, SIZE), synthetic_example(5, 0, 1, SIZE)
    assert one.attributes == other.attributes
    assert synthetic_example(7, 0, 0, SIZE).image.tobytes() != one.image.tobytes()
    known = np.isfinite(one.pose).all(axis=1)
    assert known.sum() >= 6
