from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pgen.body.crop import CropBox
from pgen.body.joints import ARMS, Joint
from pgen.body.labels import Label
from pgen.inference.person import Person
from pgen.inference.rendering import background
from pgen.inference.rendering.backs import turn_around
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.hairstyle import choose_hair
from tests.data.examples import STANDING

SIDE, SCALE = 128, 3
SHOULDERS, HIPS = (STANDING[[right, left], 1].mean() for right, left in ((2, 5), (8, 11)))
HAIR, SKIN, COAT, SHIRT, JEANS = (40, 30, 20), (230, 180, 150), (60, 90, 60), (240, 240, 250), (30, 40, 120)


def make_canvas(
    colors: dict[Label, tuple[int, int, int]],
    labels: np.ndarray,
    shirt: np.ndarray,
    shirt_color: tuple[int, int, int] = SHIRT,
) -> Canvas:
    """A photo with a little noise, three times as large as ``labels``, where ``shirt`` is seen in an open coat."""
    large = labels.repeat(SCALE, 0).repeat(SCALE, 1)
    image = np.full((*large.shape, 3), 128.0)
    for label, color in colors.items():
        image[large == label] = color
    image[shirt.repeat(SCALE, 0).repeat(SCALE, 1)] = shirt_color
    image += np.random.default_rng(1).normal(0, 4, image.shape)
    side = SIDE * SCALE
    pose = (STANDING + 0.5) * SCALE - 0.5
    person = Person("a.png", image.clip(0, 255).astype(np.uint8), CropBox(0, 0, side, side), pose, large)
    return Canvas.of(person, None, (SIDE, SIDE), side)


@pytest.fixture
def dressed() -> tuple[np.ndarray, np.ndarray]:
    """Labels of somebody with hair around a face, in a long coat over a shirt and trousers; and where the shirt is."""
    labels, x = np.zeros((SIDE, SIDE), np.uint8), round(float(STANDING[Joint.NECK, 0]))
    top, bottom, eyes = round(SHOULDERS), round(HIPS), round(float(STANDING[Joint.R_EYE, 1]))
    labels[eyes - 8 : top - 3, x - 8 : x + 9] = Label.HAIR
    labels[eyes - 3 : top, x - 4 : x + 5] = Label.FACE
    labels[top : bottom + 12, x - 14 : x + 15] = Label.UPPER
    labels[top : top + 5, x - 4 : x + 5] = Label.FACE  # a neckline
    shirt = np.zeros_like(labels, bool)
    shirt[top + 5 : bottom, x - 5 : x + 6] = True
    labels[bottom : bottom + 12, x - 5 : x + 6] = Label.PANTS
    labels[bottom + 12 : bottom + 40, x - 9 : x + 10] = Label.PANTS
    return labels, shirt


COLORS = {Label.HAIR: HAIR, Label.FACE: SKIN, Label.UPPER: COAT, Label.PANTS: JEANS}


@pytest.mark.parametrize("has_texture", [True, False])
def test_a_back_shows_hair_and_a_closed_coat(
    dressed: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, has_texture: bool
) -> None:
    if not has_texture:
        monkeypatch.setattr(background, "has_patch_match", lambda: False)
    canvas = make_canvas(COLORS, *dressed)
    turned = turn_around(canvas)
    assert ((turned.labels > 0) == (canvas.labels > 0)).all()
    rows = np.arange(len(turned.labels))[:, None]
    bottom = SCALE * round(HIPS)
    head = (canvas.labels == Label.FACE) & (rows < SCALE * (SHOULDERS - 10))
    coat = (canvas.labels > 0) & (rows > SCALE * (SHOULDERS + 2)) & (rows < bottom + 12 * SCALE)
    assert (turned.labels[head] == Label.HAIR).all()
    assert (turned.labels[coat] == Label.UPPER).all()
    assert np.abs(turned.image[head] - np.array(HAIR, float)).mean() < 12
    assert np.abs(turned.image[coat] - np.array(COAT, float)).mean() < 12
    below = canvas.labels == Label.PANTS
    below[: bottom + 12 * SCALE] = False
    np.testing.assert_array_equal(turned.image[below], canvas.image[below])
    np.testing.assert_array_equal(turned.image[canvas.labels == 0], canvas.image[canvas.labels == 0])


def test_a_dark_coat_is_closed_over_what_is_as_dark_as_its_folds(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    coat, black = (62, 62, 72), (24, 24, 28)
    folds = np.zeros_like(shirt)
    folds[round(SHOULDERS) + 2 : round(HIPS) : 6] = labels[round(SHOULDERS) + 2 : round(HIPS) : 6] == Label.UPPER
    canvas = make_canvas({**COLORS, Label.UPPER: coat}, labels, shirt | folds, black)
    turned = turn_around(canvas)
    inner = (shirt & ~folds).repeat(SCALE, 0).repeat(SCALE, 1)
    assert np.median(canvas.image[inner].mean(axis=1)) < 30
    assert np.median(turned.image[inner].mean(axis=1)) > 55


def test_a_coat_is_closed_that_shows_what_is_under_it_at_its_sides_too(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    middle = round((SHOULDERS + HIPS) / 2)
    shirt[middle : round(HIPS)] = np.arange(SIDE) < round(float(STANDING[Joint.NECK, 0])) + 6
    shirt &= labels == Label.UPPER
    turned = turn_around(make_canvas(COLORS, labels, shirt))
    x = round(float(STANDING[Joint.NECK, 0]))
    inner = np.zeros_like(shirt)
    inner[round(SHOULDERS) + 8 : round(HIPS) - 4, x - 5 : x + 6] = True
    assert np.abs(turned.image[inner.repeat(SCALE, 0).repeat(SCALE, 1)] - np.array(COAT, float)).mean() < 12


def test_small_people_lose_small_prints(
    dressed: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.inference.rendering.test_backs.SCALE", 1)
    labels, _ = dressed
    x, top, bottom = round(float(STANDING[Joint.NECK, 0])), round(SHOULDERS), round(HIPS)
    labels[bottom : bottom + 12][labels[bottom : bottom + 12] == Label.PANTS] = Label.UPPER
    print_ = np.zeros_like(labels, bool)
    print_[top + 16 : top + 19, x - 2 : x + 3] = True
    turned = turn_around(make_canvas(COLORS, labels, print_))
    assert np.abs(turned.image[print_] - np.array(COAT, float)).mean() < 16


def test_islands_of_a_top_on_trousers_cover_nothing(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    row, x = round(HIPS) + 24, round(float(STANDING[Joint.NECK, 0]))
    labels[row : row + 4, [x - 9, x - 8, x + 8, x + 9]] = Label.UPPER
    turned = turn_around(make_canvas(COLORS, labels, shirt))
    inner = turned.labels[SCALE * row : SCALE * (row + 4), SCALE * (x - 7) : SCALE * (x + 7)]
    assert (inner == Label.PANTS).all()


@pytest.mark.parametrize("period", [3, 7])
def test_varied_cloth_stays_as_it_is(dressed: tuple[np.ndarray, np.ndarray], period: int) -> None:
    labels, _ = dressed
    labels[round(HIPS) : round(HIPS) + 12][labels[round(HIPS) : round(HIPS) + 12] == Label.PANTS] = Label.UPPER
    rows, columns = np.indices(labels.shape)
    checks = ((rows // period + columns // period) % 2 == 0) & (labels == Label.UPPER)
    canvas = make_canvas(COLORS, labels, checks)
    turned = turn_around(canvas)
    below = (labels == Label.UPPER) & (rows > SHOULDERS + 8)
    np.testing.assert_array_equal(*(one.image[below.repeat(SCALE, 0).repeat(SCALE, 1)] for one in (turned, canvas)))


def test_heads_may_look_back(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    canvas = make_canvas(COLORS, *dressed)
    turned, whole = turn_around(canvas, with_head=False), turn_around(canvas)
    above = np.arange(SIDE * SCALE)[:, None] < SCALE * (SHOULDERS - 10)
    head = np.isin(canvas.labels, (Label.FACE, Label.HAIR)) & above
    np.testing.assert_array_equal(turned.image[head], canvas.image[head])
    np.testing.assert_array_equal(turned.labels[head], canvas.labels[head])
    coat = (whole.labels == Label.UPPER) & ~above
    np.testing.assert_array_equal(turned.labels[coat], whole.labels[coat])
    assert np.abs(turned.image[coat] - np.array(COAT, float)).mean() < 12


def test_bald_heads_lose_their_face_and_plain_tops_stay_as_they_are(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    labels[labels == Label.HAIR] = Label.FACE
    labels[shirt] = Label.UPPER
    canvas = make_canvas(COLORS, labels, np.zeros_like(shirt))
    eye = SCALE * STANDING[Joint.R_EYE].round().astype(int)
    canvas.image[eye[1], eye[0]] = 0
    turned = turn_around(canvas)
    assert (turned.labels != Label.HAIR).all()
    assert turned.image[eye[1], eye[0]].min() > 120
    shirt[: round(SHOULDERS) + 8] = shirt[round(HIPS) - 4 :] = False  # beside what it leaves open
    plain = shirt.repeat(SCALE, 0).repeat(SCALE, 1)
    np.testing.assert_array_equal(turned.image[plain], canvas.image[plain])


def test_short_hair_ends_above_a_neck_of_skin(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    eyes, x = round(float(STANDING[Joint.R_EYE, 1])), round(float(STANDING[Joint.NECK, 0]))
    hair = labels == Label.HAIR
    labels[hair] = Label.FACE
    labels[eyes - 8 : eyes - 2, x - 8 : x + 9] = Label.HAIR
    canvas = make_canvas(COLORS, labels, shirt)
    turned = turn_around(canvas)
    nose, mouth = (SCALE * round(float(row)) for row in (STANDING[Joint.NOSE, 1], STANDING[Joint.NOSE, 1] + 5))
    column = SCALE * x
    assert turned.labels[nose, column] == Label.HAIR
    below = slice(mouth, SCALE * round(SHOULDERS - 5))
    assert (turned.labels[below, column] == Label.FACE).all()
    assert np.abs(turned.image[nose, column] - np.array(HAIR, float)).max() < 15
    neck = turned.image[below, column] / np.array(SKIN, float)
    assert np.ptp(neck, axis=1).max() < 0.15  # of skin's tint, in the shadow of hair
    assert 0.5 < neck[:SCALE].mean() < 0.85 < neck[-SCALE:].mean() < 1.1


def test_a_collar_is_closed_from_behind(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    x, top = round(float(STANDING[Joint.NECK, 0])), round(SHOULDERS)
    labels[labels == Label.HAIR] = 0
    between = np.zeros_like(labels, bool)
    between[top - 6 : top, x - 4 : x + 5] = True
    open_neck = turn_around(make_canvas(COLORS, labels, shirt))
    labels[top - 6 : top, [x - 6, x - 5, x + 5, x + 6]] = Label.UPPER
    collar = turn_around(make_canvas(COLORS, labels, shirt))
    inner = between.repeat(SCALE, 0).repeat(SCALE, 1)
    assert (collar.labels[inner] == Label.UPPER).all()
    assert (open_neck.labels[inner] == Label.FACE).any()


def test_a_hat_does_not_color_the_hair_below_it(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    canvas = make_canvas(COLORS, *dressed)
    rows = np.arange(len(canvas.labels))[:, None]
    hat = (canvas.labels == Label.HAIR) & (rows < SCALE * (STANDING[Joint.R_EYE, 1] - 4))
    canvas.image[hat] = (200, 30, 30)
    turned = turn_around(canvas)
    head = (canvas.labels == Label.FACE) & (turned.labels == Label.HAIR)
    assert np.abs(turned.image[head] - np.array(HAIR, float)).mean() < 12
    inner = hat & (rows < SCALE * (STANDING[Joint.R_EYE, 1] - 6))
    np.testing.assert_array_equal(turned.image[inner], canvas.image[inner])


def test_a_green_hat_does_not_color_thin_hair(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    eyes, x = round(float(STANDING[Joint.R_EYE, 1])), round(float(STANDING[Joint.NECK, 0]))
    is_beside = (labels == Label.HAIR) & (np.arange(SIDE)[:, None] >= eyes - 3)
    labels[is_beside & (np.abs(np.arange(SIDE) - x) > 6)] = Label.BACKGROUND
    canvas = make_canvas(COLORS, labels, shirt)
    hat = (canvas.labels == Label.HAIR) & (np.arange(SIDE * SCALE)[:, None] < SCALE * (eyes - 3))
    canvas.image[hat] = (60, 120, 50)
    shown = choose_hair(canvas)
    assert shown.any()
    assert not (shown & hat).any()
    canvas.image[hat] = (150, 60, 40)  # may be hair
    assert (choose_hair(canvas) & hat).any()


def test_who_has_no_hair_and_shows_no_face_stays_as_they_are(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    labels[(labels == Label.HAIR) | (labels == Label.FACE)] = 0
    labels[shirt] = Label.UPPER
    canvas = make_canvas(COLORS, labels, np.zeros_like(shirt))
    turned = turn_around(canvas)
    assert not np.isin(turned.labels, (Label.HAIR, Label.FACE)).any()


def test_a_coat_that_is_wide_open_is_closed_as_its_sleeves_are(dressed: tuple[np.ndarray, np.ndarray]) -> None:
    labels, shirt = dressed
    top, bottom, x = round(SHOULDERS), round(HIPS), round(float(STANDING[Joint.NECK, 0]))
    for arm in ARMS:
        for share in np.linspace(0, 1, 60):
            for start, end in pairwise(arm):
                column, row = (STANDING[start] + share * (STANDING[end] - STANDING[start])).round().astype(int)
                labels[row - 2 : row + 3, column - 5 : column + 6] = Label.UPPER
    shirt[top + 5 : bottom, x - 5 : x + 6] = False
    half = round(float(STANDING[Joint.L_SHOULDER, 0] - STANDING[Joint.R_SHOULDER, 0]) / 2)
    shirt[top + 5 : bottom, x - half + 3 : x + half - 2] = True
    shirt &= labels == Label.UPPER
    canvas = make_canvas(COLORS, labels, shirt)
    turned = turn_around(canvas)
    inner = slice(SCALE * (top + 12), SCALE * (bottom - 8)), slice(SCALE * (x - half + 6), SCALE * (x + half - 6))
    assert np.abs(turned.image[inner] - np.array(COAT, float)).mean() < 12


def test_a_print_is_not_on_the_back_of_a_plain_top_though_its_sides_show_the_same_color(
    dressed: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, shirt = dressed
    top, bottom, x = round(SHOULDERS), round(HIPS), round(float(STANDING[Joint.NECK, 0]))
    labels[top : bottom + 12, x - 14 : x + 15] = Label.UPPER
    printed = np.zeros_like(shirt)
    printed[top + 6 : top + 20, x - 9 : x + 10] = True
    printed[top : bottom - 14, [x - 12, x + 12]] = True  # straps at the sides
    canvas = make_canvas(COLORS, labels, printed)
    turned = turn_around(canvas)
    inner = (slice(SCALE * (top + 8), SCALE * (top + 18)), slice(SCALE * (x - 7), SCALE * (x + 8)))
    assert np.abs(canvas.image[inner] - np.array(SHIRT, float)).mean() < 12
    assert np.abs(turned.image[inner] - np.array(COAT, float)).mean() < 12
