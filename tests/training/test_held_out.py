from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.store import Store
from pgen.training.held_out import ValidationBatch, _joint_errors, score_transfers
from tests.training.people import SIZE, painting, write_people
from tests.training.stages import builder

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
    assert scores["ssim"] == scores["spt_mask_ssim"] == scores["miou"] == 1
    assert scores["paste_ssim"] < 1
    assert scores["paste_spt_mask_ssim"] < 1


@pytest.mark.parametrize("name", ["semantic", "appearance"])
def test_scores_by_stored_affines_are_those_by_computed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    task = builder(write_people(tmp_path / "people.h5"))(name)
    asked = []
    of_store = Store.pair_affines

    def watched(store: Store, *arguments: Any) -> Any:
        asked.append(of_store(store, *arguments))
        return asked[-1]

    monkeypatch.setattr(Store, "pair_affines", watched)
    found = task.validate(task.networks.eval())
    assert asked
    assert all(affines is not None for affines in asked)
    monkeypatch.setattr(Store, "pair_affines", lambda *_: None)
    computed = task.validate(task.networks.eval())
    assert found == pytest.approx(computed, abs=1e-4, nan_ok=True)
