from __future__ import annotations

import numpy as np

from pgen.body.labels import Label
from pgen.body.outlines import find_foreign_rim, fit_outlines

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


def test_true_outlines_stay() -> None:
    image, parsing = photo()
    np.testing.assert_array_equal(fit_outlines(image, parsing), parsing)


def test_outlines_move_to_where_the_photo_has_them() -> None:
    for size in (128, 512):
        image, parsing = photo(size)
        by = size // 60
        off = np.pad(parsing, ((by, 0), (by, 0)), mode="edge")[:size, :size]
        before, after = (off != parsing).mean(), (fit_outlines(image, off) != parsing).mean()
        assert after < 0.15 * before


def test_what_is_far_from_an_outline_stays() -> None:
    image, parsing = photo()
    image[60:66, 60:66] = SKIN
    np.testing.assert_array_equal(fit_outlines(image, parsing), parsing)


def test_labels_of_one_color_cannot_be_told_apart() -> None:
    image, parsing = photo()
    off = np.roll(parsing, 2, axis=1)
    grey = np.full_like(image, 128)
    np.testing.assert_array_equal(fit_outlines(grey, off), off)


def test_an_empty_map_stays() -> None:
    image, _ = photo()
    nothing = np.zeros((128, 128), np.uint8)
    np.testing.assert_array_equal(fit_outlines(image, nothing), nothing)


def test_foreign_rim() -> None:
    image, parsing = photo(256)
    wide = parsing.copy()
    wide[62:194, 62:194] = Label.UPPER
    np.testing.assert_array_equal(
        find_foreign_rim(image, wide, Label.UPPER), (wide == Label.UPPER) & (parsing != Label.UPPER)
    )
    assert not find_foreign_rim(image, parsing, Label.UPPER).any()
