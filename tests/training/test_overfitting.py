"""H_A learns forty photos by heart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.models.appearance import paint
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.training.config import load_preset
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import freeze

PEOPLE, SIZE = 20, (64, 64)
SETTINGS = (
    "appearance.variant=ts-gt",
    "appearance.schedule.steps=150",
    "appearance.schedule.lr=2e-3",
    "appearance.schedule.flip=false",
    "appearance.schedule.ema=0.9",
    "appearance.schedule.warmup=5",
    "appearance.schedule.batch=4",
    "appearance.schedule.log_every=10",
    "appearance.weights.pose=0",  # the detector is a random one
    "appearance.color_correction=false",  # corrected pictures are near the truth before anything is learnt
    "appearance.schedule.validate_every=150",
)


@pytest.mark.slow
def test_h_a_overfits_forty_images(tmp_path: Path) -> None:
    """Two photos of each of twenty people, each the other's pseudo label: a minute on an idle core."""
    path = tmp_path / "people.h5"
    with StoreWriter(path, SIZE, source="tests", options={}) as writer:
        for item in (synthetic_example(7, k // 2, k % 2, SIZE) for k in range(2 * PEOPLE)):
            writer.add(item)
    with Store(path) as store:
        photos = PersonDataset(store, "train")
    everyone = torch.arange(2 * PEOPLE)
    other = everyone ^ 1
    preset = load_preset("synthetic-64", SETTINGS)
    torch.manual_seed(0)
    fixed = FrozenNetworks(None, freeze(LightPoseDetector(PoseDetectorConfig(width=8))), load_vgg_features()[0])
    pairs = torch.stack([everyone, other], 1)
    stage = AppearanceTask(preset.appearance, TaskData(photos, photos), pairs, other[:, None], fixed)
    told: list[dict[str, float]] = []
    train(stage, RunConfig(tmp_path / "run", {}), lambda step, values: told.append(values) if values else None)

    rows = [row for row in told if "recon_l1" in row]
    for name, bound in BOUNDS.items():
        assert rows[-1][name] < bound, name
        assert rows[-1][name] < 0.6 * rows[0][name], name
    scores = told[-1]
    assert scores["ssim"] > LEAST_SSIM

    views = photos.batch(everyone)
    with torch.no_grad():
        same = paint(stage.model.eval(), views, Transfer(views.poses, views.poses, SIZE), views.one_hot())
    error = (same - views.images).abs().mean().item()
    plain = (views.images - views.images.mean((0, 2, 3), keepdim=True)).abs().mean().item()
    assert error < 0.2 * plain


#: Losses, with their weights of 20 and 2, at the end.
BOUNDS = {"recon_l1": 2.0, "warp_l1": 0.2}
LEAST_SSIM = 0.75
