from __future__ import annotations

import numpy as np

from pgen.runtime.recent_pictures import RecentPictures, hash_picture


def test_those_last_kept_or_asked_for_stay() -> None:
    pictures = RecentPictures[int](2)
    pictures[b"a"], pictures[b"b"] = 1, 2
    assert pictures[b"a"] == 1
    pictures[b"c"] = 3
    assert list(pictures) == [b"a", b"c"]
    pictures[b"a"] = 4
    pictures[b"d"] = 5
    assert dict(pictures.items()) == {b"a": 4, b"d": 5}


def test_pictures_are_told_apart_by_pixels_and_shape() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert hash_picture(picture) == hash_picture(picture.copy()) == hash_picture(np.asfortranarray(picture))
    assert len({hash_picture(picture), hash_picture(picture + 1), hash_picture(picture.reshape(4, 2, 3))}) == 3
