from __future__ import annotations

import pytest
import torch

from pgen.body.part_paste import paste_by_part
from pgen.body.transfer import Transfer
from tests.models.people import boxes, standing, views

SIZES = [(64, 64), (64, 32), (64, 96)]


@pytest.mark.parametrize("size", SIZES)
def test_own_pose_gives_the_source_inside_the_figure(size: tuple[int, int]) -> None:
    person = views(size)
    pasted = paste_by_part(person.images, Transfer(person.poses, person.poses, size))
    trunk = (person.labels == 3)[:, None].expand(-1, 3, -1, -1)
    assert trunk.any()
    torch.testing.assert_close(pasted[trunk], person.images[trunk], atol=2e-3, rtol=0)


def test_a_shifted_pose_carries_the_pixels_along() -> None:
    move, size = (4, 3), (64, 64)
    columns, rows = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="xy")
    image = torch.stack([columns / 100, rows / 100, columns * 0.0])[None]
    pasted = paste_by_part(image, Transfer(standing(size), standing(size, move), size))
    trunk = boxes(size, move)[0] == 3
    torch.testing.assert_close(pasted[0, 0][trunk], (columns[trunk] - 4) / 100, atol=2e-3, rtol=0)
    torch.testing.assert_close(pasted[0, 1][trunk], (rows[trunk] - 3) / 100, atol=2e-3, rtol=0)


def test_a_raised_arm_is_carried_and_its_old_place_cleaned() -> None:
    """The lower right arm, from the side of the body to above the shoulder."""
    pose, target = standing(), standing()
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, boxes()[0] > 0] = 0.3
    wrist, elbow = pose[0, 4].round().long(), pose[0, 3].round().long()
    image[:, :, elbow[1] : wrist[1] + 1, wrist[0] - 2 : wrist[0] + 3] = 0.9
    target[0, 4] = target[0, 3] - (pose[0, 4] - pose[0, 3])
    pasted = paste_by_part(image, Transfer(pose, target, (64, 64)))[0, 0]
    middle = ((target[0, 3] + target[0, 4]) / 2).round().long()
    assert pasted[middle[1], middle[0]] > 0.8
    old = ((pose[0, 3] + pose[0, 4]) / 2).round().long()
    assert pasted[old[1] + 3, old[0] - 2].abs() < 0.1


def test_a_pose_that_cannot_be_carried_leaves_the_background() -> None:
    person = views(count=1)
    lost = torch.full_like(person.poses, torch.nan)
    pasted = paste_by_part(person.images, Transfer(person.poses, lost, (64, 64)))
    assert pasted.isfinite().all()
    corner = pasted[..., :4, :4]
    torch.testing.assert_close(corner, person.images[..., :4, :4])
