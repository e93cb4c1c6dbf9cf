from __future__ import annotations

import numpy as np

from pgen.body.labels import Label
from pgen.inference.pixels.shading import (
    apply_shading,
    estimate_shading,
    flatten_shading,
    measure_plainness,
    round_limb,
)

INNER = np.zeros((100, 100), bool)
INNER[20:80, 20:80] = True
LIGHT = np.exp(0.3 * np.sin(np.linspace(0, 6, 100)))[:, None]


def cloth(*colour: int, stripes: bool = False) -> np.ndarray:
    image = np.broadcast_to(np.array(colour, float), (100, 100, 3)) * LIGHT[..., None]
    if stripes:
        image[::8] = image[1::8] = image[2::8] = (250, 250, 250)
    return np.rint(image).clip(0, 255).astype(np.uint8)


def test_light_is_found_and_given_on() -> None:
    factor = estimate_shading(cloth(40, 80, 150), INNER)
    relative = factor[INNER] / np.broadcast_to(LIGHT, (100, 100))[INNER]
    assert relative.std() < 0.02
    red = apply_shading(np.broadcast_to(np.array((120, 30, 30), np.uint8), (100, 100, 3)), factor)
    assert np.corrcoef(red[INNER][:, 0], cloth(120, 30, 30)[INNER][:, 0])[0, 1] > 0.99


def test_patterns_are_no_light() -> None:
    striped = cloth(40, 40, 50, stripes=True)
    assert measure_plainness(striped, INNER) == 0
    assert measure_plainness(cloth(40, 40, 50), INNER) == 1
    assert (estimate_shading(striped, INNER) == 1).all()
    assert (estimate_shading(striped, np.zeros_like(INNER)) == 1).all()


def test_a_print_is_passed_over() -> None:
    photo = cloth(40, 80, 150)
    photo[45:55, 45:55] = (250, 240, 20)
    factor = estimate_shading(photo, INNER)
    assert np.abs(np.log(factor[45:55, 45:55])).max() < 0.35, "no brighter than the cloth about it gets"


def test_flattened_keeps_patterns() -> None:
    striped = cloth(40, 40, 50, stripes=True)
    flat = flatten_shading(striped, 0.0)
    assert np.ptp(flat[30:60, 50, 0].astype(int)) > 120
    wavy = cloth(100, 100, 100)
    wavy[::2] += 6
    assert np.abs(np.diff(flatten_shading(wavy, 1.0)[:, 50, 0].astype(int))).max() <= 2


def test_flattened_keeps_lace() -> None:
    plain = cloth(170, 30, 40)
    lace = plain.copy()
    lace[60:75:4, 30:70:4] = (30, 5, 8)
    lace[61:75:4, 30:70:4] = (30, 5, 8)
    flat = flatten_shading(lace, 1.0)
    assert np.ptp(flat[60:75, 40:60, 0].astype(int)) > 60
    assert (
        np.ptp(flatten_shading(np.where(lace < 60, 130, plain).astype(np.uint8), 1.0)[60:75, 40:60, 0].astype(int)) < 60
    )


def test_flattened_keeps_prints_of_the_same_brightness() -> None:
    image = np.full((100, 100, 3), (120, 60, 60), np.uint8)
    image[40:60, 40:60] = (60, 88, 72)
    flat = flatten_shading(image, 1.0)
    assert int(flat[30, 30, 0]) - int(flat[50, 50, 0]) > 45


def test_bare_limbs_are_round_and_in_the_shade_of_hems() -> None:
    parsing = np.zeros((400, 400), np.uint8)
    parsing[50:150, 180:220], parsing[150:350, 185:215] = Label.PANTS, Label.L_LEG
    light = round_limb(parsing, Label.L_LEG)
    across = light[250, 185:215]
    np.testing.assert_allclose(across, across[::-1], atol=1e-3)
    assert across[15] > across[5] > across[0]
    assert across[15] > 1 > across[0] > 0.7
    assert light[151, 200] < light[165, 200] < light[250, 200]
