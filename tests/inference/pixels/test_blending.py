from __future__ import annotations

import numpy as np

from pgen.inference.pixels.blending import (
    continue_texture,
    erode_region,
    feather,
    match_borders,
    match_local_mean,
    nearest_fill,
    replace_garment,
    unmix_borders,
)

REGION = np.zeros((40, 40), bool)
REGION[10:30, 10:30] = True


def flat(*colour: int) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (40, 40, 3)).copy()


def test_bled_continues_the_region() -> None:
    image = flat(0, 0, 0)
    image[REGION] = (9, 8, 7)
    assert (nearest_fill(image, REGION) == (9, 8, 7)).all()
    assert nearest_fill(image, np.zeros_like(REGION)) is image


def test_unmixed_leaves_the_rim_out() -> None:
    image = flat(0, 0, 0)
    image[REGION] = (50, 50, 50)
    image[erode_region(REGION, 1)] = (200, 0, 0)
    assert (unmix_borders(image, REGION) == (200, 0, 0)).all()


def test_mixed_pixels_stay_mixed() -> None:
    photo = flat(255, 255, 255)
    photo[REGION] = (0, 0, 200)
    photo[10, 10:30] = np.rint(0.6 * np.array([0, 0, 200]) + 0.4 * 255)
    result = replace_garment(photo, flat(200, 0, 0), REGION, REGION, 1.5)
    np.testing.assert_array_equal(result[~REGION], photo[~REGION])
    assert (result[12:28, 12:28] == (200, 0, 0)).all()
    np.testing.assert_allclose(result[10, 15], 0.6 * np.array([200, 0, 0]) + 0.4 * 255, atol=1)


def test_new_parts_of_the_region_are_all_new() -> None:
    photo = flat(255, 255, 255)
    photo[REGION] = (0, 0, 200)
    larger = np.zeros_like(REGION)
    larger[10:38, 10:30] = True
    result = replace_garment(photo, flat(200, 0, 0), larger, REGION, 1.5)
    assert (result[larger] == (200, 0, 0)).all()


def test_faded_ends_at_the_border() -> None:
    photo, painted = flat(0, 0, 0), flat(100, 100, 100)
    result = feather(photo, painted, REGION, 1)
    assert (result[REGION] == 100).all()
    assert (result[9, 10:30] == 50).all()
    assert (result[:9] == 0).all()


def test_matched_takes_the_colours_of_the_same_label() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[:, 20:] = 3
    photo, painted = flat(0, 0, 0), flat(100, 100, 100)
    photo[:, 20:] = (140, 100, 90)
    known = ~REGION
    result = match_borders(painted, photo, labels, REGION, known)
    assert (result[10:30, 20:30] == (140, 100, 90)).all()
    assert (result[10:30, 10:20] == 0).all()
    untouched = match_borders(painted, photo, labels, REGION, np.zeros_like(REGION))
    np.testing.assert_array_equal(untouched, painted)


def test_colours_are_continued() -> None:
    known = REGION.copy()
    known[:, 20:] = False
    painted = flat(90, 90, 90)
    painted[known] = (200, 10, 10)
    for plain in (0.0, 1.0):
        result = continue_texture(painted, known, REGION, plain)
        assert np.abs(result[REGION].astype(int) - (200, 10, 10)).max() < 12
        np.testing.assert_array_equal(result[~REGION], painted[~REGION])
    np.testing.assert_array_equal(continue_texture(painted, np.zeros_like(known), REGION, 1.0), painted)


def test_a_patterned_continuation_keeps_its_pattern() -> None:
    known = REGION.copy()
    known[:, 20:] = False
    painted = flat(90, 90, 90)
    painted[::2, 20:] = 130
    painted[known] = (200, 10, 10)
    result = continue_texture(painted, known, REGION, 0.0)
    assert (np.abs(np.diff(result[12:28, 26, 1].astype(int))) > 25).all()


def test_held_to_the_colours_of_the_guide() -> None:
    guide, painted = flat(200, 200, 200), flat(210, 190, 120)
    painted[::2] += 10
    result = match_local_mean(painted, guide, REGION, 0.05)
    assert np.abs(result[16:24, 16:24].astype(float).mean(axis=(0, 1)) - 200).max() < 3
    assert (np.abs(np.diff(result[16:24, 20, 1].astype(int))) > 5).all(), "detail stays"
    assert match_local_mean(painted, guide, np.zeros_like(REGION), 0.05) is painted
