from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pgen.body.enlarging import _scale_window, enlarge_labels

SMALL, LARGE = (56, 40), (224, 160)


def draw_disc(size: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = (np.arange(side) + 0.5 for side in size)
    return np.hypot(rows[:, None] - size[0] / 2, columns - size[1] / 2) < radius * size[1]


def smooth_scores(labels: list[np.ndarray]) -> np.ndarray:
    """Probabilities of background and ``labels`` that know nothing of the border's place to a pixel."""
    soft = np.stack([ndimage.gaussian_filter(label.astype(np.float32), 1.0) for label in labels])
    return np.concatenate([1 - soft.sum(0, keepdims=True), soft]).astype(np.float32)


def test_outlines_lie_where_colors_change() -> None:
    disc = draw_disc(LARGE, 0.3)
    picture = np.where(disc[..., None], (180, 60, 40), (90, 110, 130)).astype(np.uint8)
    # Found a pixel too large, which is four of the picture.
    scores = smooth_scores([draw_disc(SMALL, 0.3 + 1 / SMALL[1])])
    without, found = enlarge_labels(scores, LARGE), enlarge_labels(scores, LARGE, picture)
    wrong = [np.count_nonzero(labels != disc) for labels in (without, found)]
    assert wrong[1] < wrong[0] / 2


def test_a_plain_picture_changes_nothing() -> None:
    scores = smooth_scores([draw_disc(SMALL, 0.3)])
    found = enlarge_labels(scores, LARGE, np.full((*LARGE, 3), 128, np.uint8))
    assert (found != enlarge_labels(scores, LARGE)).mean() < 0.01


@pytest.mark.parametrize("with_picture", [False, True])
def test_labels_are_those_of_the_highest_scores_of_the_whole(with_picture: bool) -> None:
    """Labels are worked on in windows of their own; that is not to be seen."""
    left = np.zeros(SMALL, bool)
    left[10:50, 5:20] = True
    right = np.zeros(SMALL, bool)
    right[20:56, 20:38] = True
    scores = smooth_scores([left, np.zeros(SMALL, bool), right])
    picture = np.full((*LARGE, 3), (200, 90, 40), np.uint8) if with_picture else None
    found = enlarge_labels(scores, LARGE, picture)
    assert set(np.unique(found)) == {0, 1, 3}
    whole = ndimage.zoom(scores, (1, 4, 4), order=1, mode="nearest", grid_mode=True)
    highest = np.sort(whole, axis=0)
    sure = highest[-1] - highest[-2] > (0.5 if with_picture else 0.02)
    assert sure.mean() > 0.5
    np.testing.assert_array_equal(found[sure], whole.argmax(0)[sure])


def test_pictures_smaller_than_the_scores() -> None:
    scores = smooth_scores([draw_disc(SMALL, 0.3)])
    for size in ((1, 1), (1, 40), (5, 3), (30, 21)):
        for picture in (None, np.full((*size, 3), 128, np.uint8)):
            found = enlarge_labels(scores, size, picture)
            assert found.shape == size
            assert found[size[0] // 2, size[1] // 2] == 1


def test_without_a_figure_all_is_background() -> None:
    scores = np.zeros((3, *SMALL), np.float32)
    scores[0] = 1
    assert not enlarge_labels(scores, LARGE, np.zeros((*LARGE, 3), np.uint8)).any()


def test_windows_that_begin_between_numbers() -> None:
    """Row 60 of 100 is row 81 of 135, and in floating point a little before it."""
    for length in range(1, 400):
        for start in range(1, 99):
            large, part = _scale_window((slice(start, 99), slice(0, 99)), (100, 100), (length, length))
            assert 0 <= part[1] < part[3] <= 99 - start
            assert 0 <= large[0].start < large[0].stop <= length
            assert length < 100 or large[0].start >= start * length / 100 - 1e-6
