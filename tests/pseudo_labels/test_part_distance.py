"""The distance of pseudo labels against its definition, written out pair by pair, part by part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pgen.body.joints import Joint
from pgen.body.labels import LABEL_COUNT
from pgen.data.readers.synthetic import synthetic_example
from pgen.pseudo_labels.part_distance import PartDistances
from tests.body.definitions import part_affines, part_masks
from tests.models.people import boxes, standing

torch.set_num_threads(1)

Array = NDArray[np.floating]


def distance_by_definition(
    source: NDArray[np.uint8], source_pose: Array, target: NDArray[np.uint8], target_pose: Array, bilinear: bool = False
) -> float:
    """Σ_j ‖ B_j(p*) ⊗ S* − f_j(B_j(p_s) ⊗ S) ‖² of two maps (H, W); f_j takes the nearest pixel, or blends four."""
    height, width = source.shape
    one_hot = np.eye(LABEL_COUNT)
    y, x = np.mgrid[:height, :width]
    affines = part_affines(source_pose, target_pose)
    masks = zip(part_masks(source_pose, source.shape), part_masks(target_pose, source.shape), affines, strict=True)
    total = 0.0
    for source_mask, target_mask, affine in masks:
        of_source = one_hot[source] * source_mask[..., None]
        of_target = one_hot[target] * target_mask[..., None]
        from_x = affine[0, 0] * x + affine[0, 1] * y + affine[0, 2]
        from_y = affine[1, 0] * x + affine[1, 1] * y + affine[1, 2]
        carried = blended(of_source, from_x, from_y) if bilinear else pixels(of_source, from_x + 0.5, from_y + 0.5)
        total += np.square(of_target - carried).sum()
    return float(total)


def pixels(values: Array, x: Array, y: Array) -> Array:
    """The pixel of ``values`` (H, W, C) that each whole part of (x, y) names; zeros outside."""
    height, width = values.shape[:2]
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return values[row.clip(0, height - 1), column.clip(0, width - 1)] * inside[..., None]


def blended(values: Array, x: Array, y: Array) -> Array:
    right, down = (x % 1)[..., None], (y % 1)[..., None]
    above = pixels(values, x, y) * (1 - right) + pixels(values, x + 1, y) * right
    below = pixels(values, x, y + 1) * (1 - right) + pixels(values, x + 1, y + 1) * right
    return above * (1 - down) + below * down


@pytest.fixture(scope="module")
def people() -> tuple[torch.Tensor, torch.Tensor]:
    """Maps and poses of 24 views; some joints are missing, and one map is nearly empty."""
    examples = [synthetic_example(5, k, 0, (72, 56)) for k in range(24)]
    poses = np.stack([example.pose for example in examples])
    poses[3, [Joint.R_KNEE, Joint.L_ELBOW, Joint.NOSE]] = np.nan
    poses[4, [*range(14, 18), Joint.NOSE]] = np.nan  # no head at all
    labels = np.stack([example.parsing for example in examples])
    labels[5] = 0
    return torch.from_numpy(labels), torch.from_numpy(poses)


def by_definition(labels: torch.Tensor, poses: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> Array:
    maps, joints = labels.numpy().astype(np.uint8), poses.numpy()
    return np.array([distance_by_definition(maps[i], joints[i], maps[j], joints[j]) for i, j in zip(a, b, strict=True)])


def test_equals_the_definition(people: tuple[torch.Tensor, torch.Tensor]) -> None:
    labels, poses = people
    a, b = (side.flatten() for side in torch.meshgrid(torch.arange(0, 24, 2), torch.arange(0, 24, 3), indexing="ij"))
    expected = by_definition(labels, poses, a, b)
    found = PartDistances(labels, poses)(a, b).numpy()
    # Half a pixel may round the other way in single precision, here and there.
    assert np.abs(found - expected).max() <= 4
    assert (found == expected).mean() > 0.9
    assert expected.std() > 500


def test_the_order_of_the_pairs_does_not_matter(people: tuple[torch.Tensor, torch.Tensor]) -> None:
    distances = PartDistances(*people)
    a, b = torch.randint(24, (2, 100), generator=torch.Generator().manual_seed(0))
    found = distances(a, b)
    alone = torch.cat([distances(a[k : k + 1], b[k : k + 1]) for k in range(100)])
    assert torch.equal(found, alone)
    assert len(distances(a[:0], b[:0])) == 0


def test_is_not_symmetric_and_0_to_itself(people: tuple[torch.Tensor, torch.Tensor]) -> None:
    distances = PartDistances(*people)
    every = torch.arange(24)
    assert distances(every, every).max() == 0
    assert (distances(every, every.roll(1)) != distances(every.roll(1), every)).any()


def test_worked_by_hand() -> None:
    """The person of boxes, moved by whole pixels: what the frame cuts off is all that differs."""
    size, move = (64, 64), (3, 2)
    labels = torch.cat([boxes(size), boxes(size, move)])
    poses = torch.cat([standing(size), standing(size, move)])
    found = PartDistances(labels, poses)(torch.tensor([0]), torch.tensor([1])).item()
    assert found == 64 * 64 - 62 * 61  # all limbs are inside; of the whole frame a strip comes from nowhere
    labels[1][labels[1] == 3] = 0
    changed = PartDistances(labels, poses)(torch.tensor([0]), torch.tensor([1])).item()
    masks = part_masks(poses[1].numpy(), size)[:, (boxes(size, move)[0] == 3).numpy()]
    assert changed - found == 2 * masks.sum()  # each pixel costs 2 in each part that holds it


def test_strides_estimate_it(people: tuple[torch.Tensor, torch.Tensor]) -> None:
    distances = PartDistances(*people)
    a, b = torch.randint(24, (2, 200), generator=torch.Generator().manual_seed(1))
    exact = distances(a, b)
    for stride, error in ((2, 0.05), (4, 0.12)):
        estimate = distances(a, b, stride)
        assert (estimate - exact).abs().mean() < error * exact.mean()
        assert abs((estimate - exact).mean()) < 0.05 * exact.mean()


def test_blending_four_pixels_tells_the_same(people: tuple[torch.Tensor, torch.Tensor]) -> None:
    """The nearest pixel is a choice; with bilinear sampling the distances go up and down together."""
    labels, poses = people[0].numpy(), people[1].numpy()
    pairs = [(i, j) for i in range(0, 24, 4) for j in range(0, 24, 5)]
    found = np.array(
        [
            [distance_by_definition(labels[i], poses[i], labels[j], poses[j], soft) for i, j in pairs]
            for soft in (False, True)
        ]
    )
    assert np.corrcoef(found)[0, 1] > 0.99
