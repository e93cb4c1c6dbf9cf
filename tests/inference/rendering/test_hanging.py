"""What hangs over both legs keeps its folds and hems, however the legs are held."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.inference.rendering.bones import find_hanging_sources, find_sources, match_bodies
from pgen.inference.rendering.hanging import Cloth
from tests.data.examples import STANDING

KNEES = [Joint.R_KNEE, Joint.L_KNEE]
HIPS = [Joint.R_HIP, Joint.L_HIP]


def hold_knees(right: tuple[float, float], left: tuple[float, float]) -> NDArray[np.float32]:
    """Standing, but for knees moved by so many pixels."""
    pose = STANDING.copy()
    pose[KNEES] += (right, left)
    return pose


def make_grid(low: float, high: float) -> Tensor:
    """Points (100, 10, 2) of the picture, (x, y), in rows that are so far below the hips, in thighs."""
    hips, knees = STANDING[HIPS].mean(0), STANDING[KNEES].mean(0)
    rows = torch.linspace(*(float(hips[1] + share * (knees[1] - hips[1])) for share in (low, high)), 100)
    columns = torch.linspace(float(hips[0]) - 25, float(hips[0]) + 25, 10)
    return torch.stack([columns.expand(100, -1), rows[:, None].expand(-1, 10)], -1)


def carry(source: NDArray[np.float32], target: NDArray[np.float32], points: Tensor) -> Tensor:
    return find_hanging_sources(match_bodies(source, target, None), points.reshape(-1, 2)).reshape(points.shape)


def test_in_its_own_pose_and_in_a_larger_one_it_stays_as_it_is() -> None:
    points = make_grid(-0.5, 1.5)
    assert (carry(STANDING, STANDING, points) - points).abs().max() < 1e-2
    assert (carry(STANDING, STANDING * 2 + 5, points * 2 + 5) - points).abs().max() < 1e-2


def test_between_legs_held_apart_it_is_spread_evenly() -> None:
    points = make_grid(0.5, 1.0)
    found = carry(STANDING, hold_knees((-9, 0), (9, 0)), points)
    steps = found[:, 1:] - found[:, :-1]
    inner = steps[:, 3:-3, 0]
    assert inner.min() > 0
    assert (inner.amax(1) / inner.amin(1)).max() < 1.01
    assert steps[..., 1].abs().max() < 0.2  # hems and stripes stay straight


def test_crossed_legs_cross_no_cloth() -> None:
    points = make_grid(0.0, 1.2)
    crossed, crossing = STANDING.copy(), STANDING[KNEES]
    crossed[KNEES] = crossing[::-1]
    for source, target in ((STANDING, crossed), (crossed, STANDING)):
        assert (carry(source, target, points) - points).abs().max() < 0.1


@pytest.mark.parametrize("knee", [(-14, -30), (-20, -12), (4, -20)])
def test_it_folds_over_no_raised_knee(knee: tuple[float, float]) -> None:
    found = carry(STANDING, hold_knees(knee, (0, 0)), make_grid(0.0, 1.0))
    right, down = found[:-1, 1:] - found[:-1, :-1], found[1:, :-1] - found[:-1, :-1]
    assert (right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]).min() > 0


def test_without_legs_it_follows_the_trunk() -> None:
    legless = hold_knees((np.nan, np.nan), (0, 0))
    assert Cloth.of(legless, STANDING[HIPS].astype(np.float64), (Joint.R_KNEE, Joint.L_KNEE)) is None
    points = make_grid(-0.5, 1.0)
    moved = legless + np.array([7, 3], np.float32)
    assert (carry(legless, moved, points + torch.tensor([7.0, 3.0])) - points).abs().max() < 1e-2
    labels = torch.full((1000,), int(Label.SKIRT))
    assert find_sources(match_bodies(STANDING, moved, None), points.reshape(-1, 2), labels).isfinite().all()
