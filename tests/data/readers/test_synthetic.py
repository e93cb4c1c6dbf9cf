from __future__ import annotations

import numpy as np
import pytest

from pgen.data.readers.synthetic import find_synthetic, synthetic_example
from pgen.errors import InputError
from pgen.synthetic.person_mesh import build_person_mesh

SIZE = (64, 64)


def test_an_item_does_not_depend_on_what_was_rendered_before() -> None:
    first = synthetic_example(5, 2, 1, SIZE)
    for person in range(3):
        synthetic_example(6, person, 0, SIZE)
    build_person_mesh.cache_clear()
    again = synthetic_example(5, 2, 1, SIZE)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.parsing.tobytes() == again.parsing.tobytes()
    assert first.pose.tobytes() == again.pose.tobytes()
    assert first.attributes == again.attributes


def test_photos_in_order() -> None:
    found = find_synthetic(size=SIZE, people=3, poses=2, test_people=1, seed=5)
    examples = [job.read(*job.arguments) for job in found.jobs()]
    assert len(found) == len(examples) == 6
    assert [example.name for example in examples] == [f"p0000{p}_v{v}.png" for p in range(3) for v in range(2)]
    assert [example.person for example in examples] == [f"p0000{p}" for p in (0, 0, 1, 1, 2, 2)]
    assert [example.split for example in examples] == ["train"] * 4 + ["test"] * 2
    assert examples[-1].image.tobytes() == synthetic_example(5, 2, 1, SIZE).image.tobytes()
    assert len({example.image.tobytes() for example in examples}) == 6
    with pytest.raises(InputError) as caught:
        find_synthetic(people=3, test_people=4)
    assert caught.value.option == "test_people"


def test_views_show_one_person_and_seeds_others() -> None:
    one, other = synthetic_example(5, 0, 0, SIZE), synthetic_example(5, 0, 1, SIZE)
    assert one.attributes == other.attributes
    assert synthetic_example(7, 0, 0, SIZE).image.tobytes() != one.image.tobytes()
    known = np.isfinite(one.pose).all(axis=1)
    assert known.sum() >= 6


@pytest.mark.parametrize(("people", "poses", "option"), [(10**12, 4, "people"), (10, 10**9, "poses")])
def test_more_photos_than_there_is_room_for(people: int, poses: int, option: str) -> None:
    with pytest.raises(InputError, match="GB; render fewer") as error:
        find_synthetic(people=people, poses=poses)
    assert error.value.option == option
