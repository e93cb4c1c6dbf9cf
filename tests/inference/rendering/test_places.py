"""Places between few points: as good as places that are computed for every pixel."""

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.body.labels import LABEL_COUNT, Label
from pgen.inference.rendering.bones import find_hanging_sources, find_sources, match_bodies
from pgen.inference.rendering.places import Grid, Places
from tests.data.examples import STANDING


def raise_arm() -> np.ndarray:
    target = STANDING.copy()
    target[Joint.L_WRIST] = target[Joint.L_ELBOW] + [18, -20]
    return target


@pytest.mark.parametrize("box", [(slice(3, 250), slice(20, 181)), (slice(0, 6), slice(7, 9))])
def test_places_are_those_of_every_pixel(box: tuple[slice, slice]) -> None:
    body = match_bodies(STANDING, raise_arm(), np.array([[1.0, 0, 2], [0, 1, -3]]))
    grid = Grid(box)
    places, everywhere = Places(body, grid), torch.arange(len(grid.points))
    for label in range(1, LABEL_COUNT):
        expected = find_sources(body, grid.points, torch.full((len(grid.points),), label))
        found = places.find_at(Label(label), everywhere)
        torch.testing.assert_close(found.isnan(), expected.isnan())
        off = (found - expected).nan_to_num(0).norm(dim=1)
        assert off.max() < 1.5
        assert off.mean() < 0.1
    hung = find_hanging_sources(body, grid.points)
    assert (places.find_hanging_at(everywhere) - hung).norm(dim=1).max() < 1.5


def test_labels_are_looked_up_one_by_one() -> None:
    body = match_bodies(STANDING, raise_arm(), None)
    grid = Grid((slice(60, 100), slice(40, 90)))
    labels = torch.arange(len(grid.points)) % LABEL_COUNT
    found = Places(body, grid).find(labels)
    assert found[(labels == Label.BACKGROUND) | (labels == Label.FACE)].isnan().all()
    exact = find_sources(body, grid.points, labels)
    assert (found - exact).nan_to_num(0).norm(dim=1).max() < 1.5
