"""The deformable skip against its plain definition and the golden vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import Label
from pgen.body.transfer import Transfer
from pgen.body.warp import deformable_skip, plan_warp
from tests.body.poses import STANDING
from tests.models.definition import deformable_skip_by_definition, golden_geometry


@pytest.mark.parametrize("size", [128, 64, 32])
def test_golden_deformable_skip(golden, size: int) -> None:
    data = golden("deformable_skip")
    affines, masks = golden_geometry(golden("body"), 256)
    feature = torch.from_numpy(data[f"feature_{size}"]).float()
    expected = torch.from_numpy(data[f"warped_{size}"])
    warped = deformable_skip(feature, plan_warp(affines, masks, (size, size)))
    torch.testing.assert_close(warped, expected, atol=1e-4, rtol=0)


def random_geometry(batch: int, frame: tuple[int, int], seed: int, coverage: float = 0.2) -> tuple[Tensor, Tensor]:
    """Affines near the identity, one part 'nowhere', and blocky masks that overlap up to nine deep."""
    generator = torch.Generator().manual_seed(seed)
    height, width = frame
    affines = torch.eye(2, 3).repeat(batch, 10, 1, 1) + 0.2 * torch.randn(batch, 10, 2, 3, generator=generator)
    affines[..., 2] += torch.randn(batch, 10, 2, generator=generator) * torch.tensor([width, height]) / 8
    affines[:, 4] = torch.tensor([[1.0, 0, 1000], [0, 1, 1000]])
    coarse = torch.rand(batch, 10, 4, 4, generator=generator) < coverage
    masks = F.interpolate(coarse.float(), frame, mode="nearest") > 0
    masks[:, 0] = True
    return affines, masks


@pytest.mark.parametrize("frame", [(32, 32), (48, 24), (16, 40)])
@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("coverage", [0.0, 0.2, 0.9, 1.0])
def test_equals_the_definition_on_any_frame(frame: tuple[int, int], scale: int, coverage: float) -> None:
    affines, masks = random_geometry(3, frame, seed=scale, coverage=coverage)
    size = (frame[0] // scale, frame[1] // scale)
    feature = torch.randn(3, 5, *size, generator=torch.Generator().manual_seed(0)) - 0.3
    slow_input, fast_input = feature.clone().requires_grad_(), feature.clone().requires_grad_()
    slow = deformable_skip_by_definition(slow_input, affines, masks)
    fast = deformable_skip(fast_input, plan_warp(affines, masks, size))
    torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-4)
    gradient = torch.randn(slow.shape, generator=torch.Generator().manual_seed(1))
    slow.backward(gradient)
    fast.backward(gradient)
    torch.testing.assert_close(fast_input.grad, slow_input.grad, atol=1e-4, rtol=1e-4)


def test_gradcheck() -> None:
    affines, masks = random_geometry(2, (8, 6), seed=3, coverage=0.5)
    warp = plan_warp(affines, masks, (8, 6))
    warp.weights = warp.weights.double()
    feature = torch.randn(2, 2, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert torch.autograd.gradcheck(lambda x: deformable_skip(x, warp), feature.requires_grad_())


def test_a_shift_moves_right_and_down_on_a_non_square_frame() -> None:
    """Target (x, y) takes source (x − 16, y − 32): swapping height and width would send the spot elsewhere."""
    affines = torch.eye(2, 3).repeat(1, 10, 1, 1)
    affines[..., 2] = torch.tensor([-16.0, -32.0])
    masks = torch.zeros(1, 10, 128, 64, dtype=torch.bool)
    feature = torch.zeros(1, 1, 128, 64)
    feature[0, 0, 40, 20] = 1.0
    warped = deformable_skip(feature, plan_warp(affines, masks, (128, 64)))
    row, column = divmod(int(warped.flatten().argmax()), 64)
    assert abs(row - 72) <= 1
    assert abs(column - 36) <= 1


def test_labels_that_differ_are_not_carried() -> None:
    affines = torch.eye(2, 3).repeat(1, 10, 1, 1)
    masks = torch.zeros(1, 10, 8, 8, dtype=torch.bool)
    source, target = torch.full((1, 8, 8), 3), torch.full((1, 8, 8), 3)
    target[:, :, 4:] = 4
    warped = deformable_skip(torch.ones(1, 1, 8, 8), plan_warp(affines, masks, (8, 8), (source, target)))
    assert torch.equal(warped[0, 0, 1:-1, :4], torch.ones(6, 4))
    assert not warped[0, 0, :, 4:].any()


def test_a_feature_of_another_size_is_refused() -> None:
    affines, masks = random_geometry(1, (8, 8), seed=0)
    with pytest.raises(ValueError, match="does not fit"):
        deformable_skip(torch.zeros(1, 1, 4, 4), plan_warp(affines, masks, (8, 8)))


def test_equal_candidates_share_one_gradient() -> None:
    """In the source's own pose all parts agree; each pixel's gradient is passed on once."""
    affines = torch.eye(2, 3).repeat(1, 10, 1, 1)
    masks = torch.ones(1, 10, 8, 6, dtype=torch.bool)
    feature = (torch.rand(1, 3, 8, 6, generator=torch.Generator().manual_seed(0)) + 0.1).requires_grad_()
    deformable_skip(feature, plan_warp(affines, masks, (8, 6))).sum().backward()
    torch.testing.assert_close(feature.grad, torch.ones_like(feature))


#: Known motions of a whole person about the middle of a frame of 128 × 64: (angle in degrees, shift x, y).
MOTIONS = [(0.0, 7.0, -12.0), (25.0, 0.0, 0.0), (-40.0, 3.0, 6.0), (180.0, 0.0, 0.0)]


@pytest.mark.parametrize(("angle", "x", "y"), MOTIONS)
def test_a_known_motion_on_an_upright_frame(angle: float, x: float, y: float) -> None:
    """Pose to pose, the skip and the paste carry each pixel as the motion says; height and width are not alike."""
    height, width = size = (128, 64)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s], [s, c]])
    source = STANDING - [32, 0]
    target = (source - middle) @ turn.T + middle + [x, y]
    poses = [torch.from_numpy(pose).float()[None] for pose in (source, target)]
    columns, rows = torch.arange(width).expand(size), torch.arange(height)[:, None].expand(size)
    ramps = torch.stack([columns, rows, torch.ones(size)]).float()[None] / 128

    expected, inside = torch.zeros(2, *size), torch.zeros(size, dtype=torch.bool)
    for row, column in np.ndindex(size):
        at = turn.T @ (np.array([column, row]) - middle - [x, y]) + middle
        expected[:, row, column] = torch.from_numpy(at / 128)
        inside[row, column] = bool((at > 2).all() and (at < [width - 3, height - 3]).all())
    assert inside.float().mean() > 0.4

    transfer = Transfer(poses[0], poses[1], size)
    everywhere = torch.full((1, *size), int(Label.UPPER))
    pasted = transfer.paste(ramps, everywhere, everywhere)
    assert pasted.valid[0, 0][inside].float().mean() > 0.98
    for warped in (pasted.image, deformable_skip(ramps, transfer.warps(1)[0])):
        # The skip's convention lets a pixel in 64 or 128 go astray, hence up to a pixel and a half.
        torch.testing.assert_close(warped[0, :2, inside], expected[:, inside], atol=1.5 / 128, rtol=0)
    half = deformable_skip(F.avg_pool2d(ramps, 2), transfer.warps(2)[1])
    there = F.avg_pool2d(inside[None].float(), 2)[0] == 1
    torch.testing.assert_close(half[0, :2, there], F.avg_pool2d(expected, 2)[:, there], atol=3 / 128, rtol=0)
