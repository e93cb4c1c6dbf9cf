from __future__ import annotations

import numpy as np
import pytest

from pgen.body.labels import Label
from pgen.inference.pixels.filling import extend_texture, find_bare_skin, largest_rectangle, spread_skin
from tests.body.layouts import dressed
from tests.body.poses import STANDING

SKIN, SHOE = np.array([200, 150, 120], np.uint8), np.array([40, 90, 110], np.uint8)
PLAIN = np.ones((128, 128), np.float32)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Someone in trousers and shoes: photo, map, and where the shoes are."""
    parsing = dressed(STANDING, 0.5, Label.PANTS, 1.9)
    image = np.full((128, 128, 3), 230, np.uint8)
    shoes = np.isin(parsing, (Label.L_LEG, Label.R_LEG))
    image[np.isin(parsing, (Label.FACE, Label.L_ARM, Label.R_ARM))] = SKIN
    image[shoes] = SHOE
    return image, parsing, shoes


def test_shoes_are_no_skin() -> None:
    image, parsing, shoes = scene()
    np.testing.assert_array_equal(
        find_bare_skin(image, parsing, STANDING), np.isin(parsing, (Label.FACE, Label.L_ARM, Label.R_ARM))
    )
    image[shoes] = (198, 142, 138)
    assert not find_bare_skin(image, parsing, STANDING)[shoes].any(), "red shoes"
    image[shoes] = SKIN
    assert find_bare_skin(image, parsing, STANDING)[shoes].all(), "bare feet"


def test_eyes_are_no_skin_and_tights_pass_for_it() -> None:
    image, parsing, _ = scene()
    face = np.argwhere(parsing == Label.FACE)
    y, x = face[len(face) // 2]
    image[y, x] = 20
    assert not find_bare_skin(image, parsing, STANDING)[y, x]
    parsing = dressed(STANDING, 0.5, Label.SKIRT, 0.8)
    legs = np.isin(parsing, (Label.L_LEG, Label.R_LEG))
    image[legs] = SHOE
    shown = find_bare_skin(image, parsing, STANDING)
    knee = np.rint(STANDING[9]).astype(int)
    assert shown[knee[1] + 3, knee[0]]


def test_without_a_torso_all_skin_counts() -> None:
    image, parsing, _ = scene()
    image[np.isin(parsing, (Label.L_LEG, Label.R_LEG))] = SKIN
    pose = np.full((18, 2), np.nan, np.float32)
    assert find_bare_skin(image, parsing, pose)[parsing == Label.R_LEG].all()


def test_skin_is_like_the_skin_nearby_and_the_usual_far_away() -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    shown = np.zeros((128, 128), bool)
    image[:, :10], image[:8, 12:20], shown[:, :10], shown[:8, 12:20] = SKIN, SKIN // 2, True, True
    around = spread_skin(image, shown, PLAIN)
    np.testing.assert_allclose(around[60, 14], SKIN, atol=2)
    np.testing.assert_allclose(around[3, 20], SKIN // 2, atol=20)
    np.testing.assert_allclose(around[120, 120], SKIN, atol=2)


def test_limbs_are_round_and_without_folds() -> None:
    image = np.broadcast_to(SKIN, (128, 128, 3))
    across = np.abs(np.arange(128) - 64)
    limb = np.broadcast_to(np.where(across < 8, 1.0, 0.7), (128, 128)).astype(np.float32)
    fold = PLAIN.copy()
    fold[:, 64] = 0.7
    shown = np.ones((128, 128), bool)
    rounded, smooth = (spread_skin(image, shown, light)[64, :, 0] for light in (limb, fold))
    assert rounded[64] > 1.2 * rounded[75]
    assert np.ptp(smooth[56:72]) < 0.2 * SKIN[0]


@pytest.mark.parametrize("seed", range(20))
def test_largest_rectangle(seed: int) -> None:
    region = np.random.default_rng(seed).random((9, 11)) < 0.8
    sizes = [
        (bottom - top) * (right - left)
        for top in range(9)
        for bottom in range(top + 1, 10)
        for left in range(11)
        for right in range(left + 1, 12)
        if region[top:bottom, left:right].all()
    ]
    top, left, bottom, right = largest_rectangle(region)
    assert region[top:bottom, left:right].all()
    assert (bottom - top) * (right - left) == max(sizes)


def test_nothing_in_nothing() -> None:
    assert largest_rectangle(np.zeros((5, 5), bool)) == (0, 0, 0, 0)
    assert extend_texture(np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), bool)) is None


@pytest.mark.parametrize("scale", [1, 3])
def test_stripes_go_on(scale: int) -> None:
    columns = np.arange(96 * scale) // (8 * scale) % 2 * 200
    stripes = np.broadcast_to(columns[None, :, None], (96 * scale, 96 * scale, 3)).astype(np.uint8)
    image, region = np.full_like(stripes, 90), np.zeros(stripes.shape[:2], bool)
    region[16 * scale : 48 * scale, 16 * scale : 64 * scale] = True
    image[region] = stripes[region]
    more = extend_texture(image, region)
    assert more is not None
    np.testing.assert_array_equal(more[region], stripes[region])
    assert set(np.unique(more)) == {0, 200}
    np.testing.assert_array_equal(more[0], more[-1])
