from __future__ import annotations

import numpy as np

from pgen.body.labels import Label
from pgen.body.regions import reshape_regions


def person(sleeve: int, hem: int = 30) -> np.ndarray:
    """A trunk with an arm to its right whose sleeve ends at row ``sleeve``, and a skirt from ``hem`` on."""
    parsing = np.zeros((64, 64), np.uint8)
    parsing[10:40, 20:40] = Label.SKIRT
    parsing[10:hem, 20:40] = Label.UPPER
    parsing[10:40, 40:48] = Label.L_ARM
    parsing[10:sleeve, 40:48] = Label.UPPER
    return parsing


def test_sleeves_grow_and_shrink() -> None:
    short, long = person(16), person(34)
    np.testing.assert_array_equal(reshape_regions(short, long, [Label.UPPER]), long)
    np.testing.assert_array_equal(reshape_regions(long, short, [Label.UPPER]), short)
    np.testing.assert_array_equal(reshape_regions(long, short, [Label.HAIR]), long)


def test_below_a_shorter_top_is_what_is_worn_there() -> None:
    other = person(16, hem=22)
    other[other == Label.SKIRT] = Label.PANTS
    np.testing.assert_array_equal(reshape_regions(person(16), other, [Label.UPPER]), person(16, hem=22))


def test_thin_differences_are_the_bodies() -> None:
    wider = person(16)
    wider[10:30, 18:20] = Label.UPPER
    np.testing.assert_array_equal(reshape_regions(person(16), wider, [Label.UPPER]), person(16))


def test_hair_in_front_stays() -> None:
    own, other = person(16), person(34)
    own[10:40, 40:48] = Label.HAIR
    np.testing.assert_array_equal(reshape_regions(own, other, [Label.UPPER]), own)
