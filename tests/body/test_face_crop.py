from __future__ import annotations

import numpy as np
import pytest
import torch

from pgen.body.parts import crop_faces
from tests.body.definitions import head_box
from tests.models.people import standing, views


def box_of(pose: torch.Tensor, size: tuple[int, int]) -> tuple[int, int, int, int]:
    box = head_box(pose.numpy(), size)
    assert box is not None
    return box


@pytest.mark.parametrize("size", [(64, 64), (64, 32), (64, 96)])
@pytest.mark.parametrize("move", [(0.0, 0.0), (3.0, 5.0)])
def test_a_crop_of_the_box_s_size_is_a_slice(size: tuple[int, int], move: tuple[float, float]) -> None:
    pose, image = standing(size, move), views(size, count=1).images
    left, top, right, bottom = box_of(pose[0], size)
    assert right - left == bottom - top
    crop = crop_faces(image, pose, right - left)
    torch.testing.assert_close(crop, image[:, :, top:bottom, left:right], atol=1e-4, rtol=0)


def test_enlarged_crops_keep_their_corners() -> None:
    """Twice the box's size, the average of each 2 × 2 is near the pixel it came from: nothing has moved."""
    size = (64, 64)
    rows, columns = np.mgrid[:64, :64].astype(np.float32)
    image = torch.from_numpy(np.stack([rows, columns, rows]))[None] / 64
    pose = standing(size)
    left, top, right, bottom = box_of(pose[0], size)
    crop = crop_faces(image, pose, 2 * (right - left))
    averaged = torch.nn.functional.avg_pool2d(crop, 2)
    torch.testing.assert_close(averaged, image[:, :, top:bottom, left:right], atol=1e-4, rtol=0)


def test_half_precision_does_not_move_the_crop() -> None:
    pose, image = standing(), views(count=1).images
    with torch.autocast("cpu", torch.bfloat16):
        crop = crop_faces(image, pose, 20)
    torch.testing.assert_close(crop, crop_faces(image, pose, 20))


def test_without_a_head_there_is_nothing() -> None:
    person = views(count=2)
    poses = person.poses.clone()
    poses[0, [0, 14, 15, 16, 17]] = torch.nan
    crop = crop_faces(person.images, poses, 16)
    assert not crop[0].any()
    assert crop[1].any()
