"""Affines from corresponding points, one and many."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import AffineTransform

from pgen.body.affine import NOWHERE, fit_affines
from tests.body.definitions import apply_affine, fit_affine

SEEDS = st.integers(0, 2**32 - 1)


def fit_as_batch(points: np.ndarray, images: np.ndarray) -> np.ndarray | None:
    """``fit_affines`` on one set of points, with a point of no weight that must not matter."""
    junk = np.array([[9e5, -9e5]])
    weights = torch.tensor([*[1.0] * len(points), 0.0])
    affine, exists = fit_affines(
        torch.from_numpy(np.vstack([points, junk])), torch.from_numpy(np.vstack([images, junk])), weights
    )
    assert exists or np.array_equal(affine, NOWHERE)
    return affine.numpy() if exists else None


@pytest.fixture(params=[fit_affine, fit_as_batch], ids=["one", "batch"])
def fit(request):
    return request.param


@settings(max_examples=40)
@given(SEEDS, st.integers(3, 7))
def test_exact_correspondence_is_found(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 200, (count, 2))
    if np.linalg.svd(points - points.mean(axis=0))[1][-1] < 5:  # nearly on a line
        return
    affine = np.hstack([np.eye(2) + rng.uniform(-0.6, 0.6, (2, 2)), rng.uniform(-50, 50, (2, 1))])
    if abs(np.linalg.det(affine[:, :2])) < 0.05:
        return
    for form in (fit_affine, fit_as_batch):
        np.testing.assert_allclose(form(points, apply_affine(affine, points)), affine, atol=1e-6)


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
@settings(max_examples=40)
@given(SEEDS, st.integers(4, 7))
def test_inexact_correspondence_is_solved_as_skimage_does(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 200, (count, 2))
    images = points @ rng.uniform(-1, 1, (2, 2)) + rng.normal(0, 10, (count, 2))
    reference = AffineTransform()
    assert reference.estimate(points, images)
    expected = reference.params[:2]
    for form in (fit_affine, fit_as_batch):
        np.testing.assert_allclose(form(points, images), expected, atol=1e-7 * np.abs(expected).max() ** 2)


@pytest.mark.parametrize(
    "flat",
    [
        np.array([(1, 2), (2, 4), (3, 6), (5, 10)]),  # on a line
        np.array([(4, 4)] * 4),
        np.array([(4, 4), (4, 4), (9, 1), (9, 1)]),
    ],
)
def test_points_on_a_line_have_no_affine(fit, flat: np.ndarray) -> None:
    square = np.array([(0, 0), (0, 9), (9, 9), (9, 0)])
    assert fit(flat, square) is None
    assert fit(square, flat) is None


def test_two_points_have_no_affine(fit) -> None:
    assert fit(np.array([(0, 0), (5, 6)]), np.array([(0, 0), (5, 6)])) is None


def test_batch_dimensions_are_kept() -> None:
    torch.manual_seed(0)
    points, images = torch.rand(2, 3, 5, 2), torch.rand(2, 3, 5, 2)
    affines, exists = fit_affines(points, images, torch.ones(2, 3, 5))
    assert affines.shape == (2, 3, 2, 3)
    assert exists.shape == (2, 3)
    np.testing.assert_allclose(affines[1, 2], fit_affine(points[1, 2].numpy(), images[1, 2].numpy()), rtol=1e-6)
