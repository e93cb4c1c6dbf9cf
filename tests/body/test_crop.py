"""Photos fitted into frames and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.body.crop import Letterbox, scale_pose
from tests.body.poses import STANDING

SIDES = st.integers(1, 300)
FRAMES = st.sampled_from([(128, 128), (128, 64), (256, 256)])


@settings(max_examples=80)
@given(SIDES, SIDES, FRAMES)
def test_photo_just_fits_in_the_middle(height: int, width: int, frame: tuple[int, int]) -> None:
    fit = Letterbox.of((height, width), frame)
    rows, columns = fit.window
    assert 0 <= rows.start < rows.stop <= frame[0]
    assert 0 <= columns.start < columns.stop <= frame[1]
    assert fit.content[0] == frame[0] or fit.content[1] == frame[1]
    assert abs(rows.start - (frame[0] - rows.stop)) <= 1
    assert abs(columns.start - (frame[1] - columns.stop)) <= 1
    scale = min(frame[0] / height, frame[1] / width)
    assert abs(fit.content[0] - max(1, height * scale)) <= 0.5
    assert abs(fit.content[1] - max(1, width * scale)) <= 0.5


@settings(max_examples=50)
@given(SIDES, SIDES, FRAMES)
def test_pose_comes_back(height: int, width: int, frame: tuple[int, int]) -> None:
    pose = STANDING.copy()
    pose[4] = np.nan
    fit = Letterbox.of((height, width), frame)
    np.testing.assert_allclose(fit.pose_back(fit.pose(pose)), pose, atol=1e-3 * max(height, width))


@settings(max_examples=50)
@given(SIDES, SIDES, FRAMES)
def test_photo_comes_back_at_its_size(height: int, width: int, frame: tuple[int, int]) -> None:
    fit = Letterbox.of((height, width), frame)
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[:] = (10, 120, 250)
    framed = fit.image(image)
    assert framed.shape == (*frame, 3)
    assert (framed == [10, 120, 250]).all()  # the padding continues a plain photo
    np.testing.assert_array_equal(fit.image_back(framed), image)
    parsing = np.full((height, width), 7, dtype=np.uint8)
    in_frame = fit.parsing(parsing)
    assert (in_frame == 7).sum() == fit.content[0] * fit.content[1]
    assert set(np.unique(in_frame)) <= {0, 7}
    np.testing.assert_array_equal(fit.parsing_back(in_frame), parsing)


@settings(max_examples=30)
@given(st.integers(5, 60), st.integers(5, 60), st.integers(0, 2**32 - 1))
def test_parsing_survives_an_enlargement(height: int, width: int, seed: int) -> None:
    parsing = np.random.default_rng(seed).integers(0, 10, (height, width), dtype=np.uint8)
    fit = Letterbox.of((height, width), (128, 128))
    np.testing.assert_array_equal(fit.parsing_back(fit.parsing(parsing)), parsing)


def test_smooth_photo_survives_a_reduction() -> None:
    y, x = np.mgrid[:300, :200]
    image = np.stack([y * 0.8, x, 100 + 50 * np.sin(x / 30)], axis=-1).astype(np.uint8)
    fit = Letterbox.of((300, 200), (128, 128))
    back = fit.image_back(fit.image(image))
    assert np.abs(back.astype(int) - image)[5:-5, 5:-5].max() <= 6


def test_joints_stay_on_what_they_mark() -> None:
    image = np.zeros((90, 240, 3), dtype=np.uint8)
    image[30:33, 150:153] = 255
    pose = np.full((18, 2), np.nan, dtype=np.float32)
    pose[0] = (151, 31)
    fit = Letterbox.of((90, 240), (256, 256))
    framed, (x, y) = fit.image(image)[..., 0].astype(float), fit.pose(pose)[0]
    rows, columns = np.mgrid[:256, :256]
    assert (framed * columns).sum() / framed.sum() == pytest.approx(x, abs=0.05)
    assert (framed * rows).sum() / framed.sum() == pytest.approx(y, abs=0.05)


def test_same_size_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (128, 64, 3), dtype=np.uint8)
    fit = Letterbox.of((128, 64), (128, 64))
    np.testing.assert_array_equal(fit.image(image), image)
    np.testing.assert_array_equal(fit.pose(STANDING), STANDING)


def test_padding_takes_the_usual_color_of_its_border() -> None:
    image = np.full((100, 50, 3), 200, dtype=np.uint8)
    image[:, -1] = 90
    image[20:40, -1] = 0  # an arm that leaves the picture does not color the padding
    framed = Letterbox.of((100, 50), (100, 100)).image(image)
    assert (framed[:, :25] == 200).all()
    assert (framed[:, 75:] == 90).all()


def test_wrong_arrays_are_refused() -> None:
    fit = Letterbox.of((20, 10), (64, 64))
    with pytest.raises(ValueError, match="expected uint8"):
        fit.image(np.zeros((10, 20, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="expected uint8"):
        fit.parsing_back(np.zeros((64, 64), dtype=np.int64))
    with pytest.raises(ValueError, match="at least 1"):
        Letterbox.of((0, 10), (64, 64))


def test_poses_of_a_photo_in_another_size() -> None:
    pose = np.array([[-0.5, -0.5], [99.5, 49.5], [0, 0], [np.nan, np.nan]], np.float32)
    scaled = scale_pose(pose, (50, 100, 3), (100, 300))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[-0.5, -0.5], [299.5, 99.5], [1, 0.5], [np.nan, np.nan]])
