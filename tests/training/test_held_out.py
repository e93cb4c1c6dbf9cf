from __future__ import annotations

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.training.held_out import ValidationBatch, _joint_errors, score_transfers
from tests.training.people import SIZE, painting

Samplers = tuple[PersonDataset, PersonDataset]


def test_images_without_a_known_torso_do_not_spoil_the_joint_error(samplers: Samplers) -> None:
    stage = painting(samplers)
    poses = stage.held_out.poses[:3].clone()
    images = torch.zeros(3, 3, *SIZE)
    whole = _joint_errors(images, poses, stage.frozen.pose, 1)
    poses[1, 8] = torch.nan
    assert _joint_errors(images, poses, stage.frozen.pose, 1) == pytest.approx([whole[0], whole[2]])
    assert all(error > 0 for error in whole)


def test_the_truth_has_the_highest_scores(samplers: Samplers) -> None:
    stage = painting(samplers)
    views = stage.held_out.batch(torch.arange(2))
    other = stage.held_out.batch(torch.arange(2, 4))
    scores = score_transfers(
        [ValidationBatch(views, views, views.labels, other.images, views.images)], stage.frozen.pose
    )
    assert scores["ssim"] == scores["mask_ssim"] == scores["miou"] == 1
    assert scores["paste_ssim"] < 1
    assert scores["paste_mask_ssim"] < 1
