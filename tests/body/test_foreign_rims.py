from __future__ import annotations

import numpy as np

from pgen.body.foreign_rims import find_foreign_rim
from pgen.body.labels import Label

SKIN, RED, GREY = (220, 180, 150), (180, 30, 40), (230, 230, 232)


def photo(size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """A red square between grey and skin, and its true map."""
    parsing = np.zeros((size, size), np.uint8)
    parsing[:, size // 2 :] = Label.L_ARM
    parsing[size // 4 : -size // 4, size // 4 : -size // 4] = Label.UPPER
    image = np.empty((size, size, 3), np.uint8)
    for label, color in ((0, GREY), (Label.L_ARM, SKIN), (Label.UPPER, RED)):
        image[parsing == label] = color
    noise = np.random.default_rng(0).integers(-4, 5, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), parsing


def test_foreign_rim() -> None:
    image, parsing = photo(256)
    wide = parsing.copy()
    wide[62:194, 62:194] = Label.UPPER
    np.testing.assert_array_equal(
        find_foreign_rim(image, wide, Label.UPPER), (wide == Label.UPPER) & (parsing != Label.UPPER)
    )
    assert not find_foreign_rim(image, parsing, Label.UPPER).any()
