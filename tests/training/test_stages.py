from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgen.body.heatmaps import strided_heatmaps
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.losses.cross_entropy import parsing_cross_entropy
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.models.semantic import SemanticConfig, SemanticGenerator, predict_parsing
from pgen.models.vgg import VggFeatures
from pgen.pseudo_labels.varied_search import find_matches
from pgen.training.config import load_preset
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import TERMS, FrozenNetworks, Generated
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask
from pgen.training.tasks.semantic import SemanticTask
from tests.training.people import PAIRS, SIZE, TEST, TINY, painting

Build = Callable[..., TrainingTask]


@pytest.fixture
def build(samplers: tuple[PersonDataset, PersonDataset]) -> Build:
    """Builds a tiny stage by name, with further settings."""

    def of(name: str, *settings: str) -> TrainingTask:
        preset = load_preset("synthetic-64", (*TINY, *settings))
        if name == "pose":
            return PoseTask(preset.pose, TaskData(*samplers))
        if name == "parser":
            return ParserTask(preset.parser, TaskData(*samplers))
        if name == "semantic":
            matches = torch.from_numpy(find_matches(samplers[0], 4, 2))
            return SemanticTask(preset.semantic, TaskData(*samplers), PAIRS, matches)
        return painting(samplers, *settings)

    return of


def losses_of(stage: TrainingTask, seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return stage.losses(stage.sample(torch.Generator().manual_seed(seed)).load(stage.train))[0]


STAGES = {
    "pose": ({"pose"}, set(), {"pck", "median_error"}),
    "parser": ({"cross_entropy", "soft_iou"}, set(), {"miou"}),
    "semantic": ({"cross_entropy", "soft_iou", "adversarial"}, {"semantic_discriminator"}, {"miou", "miou_of_copying"}),
    "appearance": (
        {"adversarial", "face_adversarial", "pose", "content", "style", "recon_l1", "face_recon", "warp_l1"},
        {"image_discriminator", "face_discriminator"},
        {"ssim", "spt_mask_ssim", "paste_ssim", "paste_spt_mask_ssim", "joint_error", "miou"},
    ),
}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", STAGES)
def test_a_training(build: Build, tmp_path: Path, name: str, precision: str) -> None:
    """Two steps through the loop: all that is trained moves, every loss and score is finite, none is missing."""
    stage = build(name, f"{name}.schedule.validate_every=2")
    parameters = [*stage.networks.named_parameters(), *stage.discriminators.named_parameters()]
    before = [p.detach().clone() for _, p in parameters]
    told: dict[str, float] = {}
    run = RunConfig(tmp_path, {}, precision=precision, max_steps=2)
    train(stage, run, lambda step, values: told.update(values))
    generator, critics, scores = STAGES[name]
    assert told.keys() == generator | critics | scores | {"samples_per_second"}
    assert all(isfinite(value) for value in told.values())
    still = [key for (key, p), old in zip(parameters, before, strict=True) if torch.equal(p, old)]
    assert still == [key for key, p in parameters if not p.requires_grad]


@pytest.mark.parametrize("name", STAGES)
def test_batches_and_networks_are_the_seed_s(build: Build, name: str) -> None:
    first, again = losses_of(build(name)), losses_of(build(name))
    assert {n: v.item() for n, v in first.items()} == {n: v.item() for n, v in again.items()}
    assert {n: v.item() for n, v in losses_of(build(name), seed=1).items()} != {n: v.item() for n, v in first.items()}


@pytest.mark.parametrize("name", STAGES)
def test_a_training_lowers_its_loss(build: Build, name: str) -> None:
    """The same batch again and again."""
    key = {"pose": "pose", "semantic": "cross_entropy", "appearance": "recon_l1", "parser": "cross_entropy"}[name]
    stage = build(name)
    optimiser = torch.optim.Adam(stage.networks.parameters(), 3e-3)
    first = losses_of(stage)[key].item()
    for _ in range(12):
        optimiser.zero_grad()
        losses_of(stage)[key].backward()
        optimiser.step()
    assert losses_of(stage)[key].item() < 0.9 * first


def test_frozen_networks_stay_as_they_are(build: Build, tmp_path: Path) -> None:
    stage = build("appearance")
    assert isinstance(stage, AppearanceTask)
    kept = (stage.frozen.semantic, stage.frozen.pose, stage.frozen.perceptual)
    before = [{n: v.clone() for n, v in network.state_dict().items()} for network in kept]
    train(stage, RunConfig(tmp_path, {}, max_steps=2), lambda step, values: None)
    for network, old in zip(kept, before, strict=True):
        assert not network.training
        assert all(torch.equal(value, old[name]) for name, value in network.state_dict().items())
        assert all(p.grad is None for p in network.parameters())


def test_a_weight_of_zero_leaves_a_term_out(build: Build) -> None:
    none = (f"appearance.weights.{name}=0" for name in ("recon_l1", "face_recon", "warp_l1"))
    names = losses_of(build("appearance", *none)).keys()
    assert names == {"pose", "content", "style", "adversarial", "face_adversarial"}


@pytest.mark.parametrize("weight", TERMS)
def test_weights_scale_their_terms(build: Build, weight: str) -> None:
    key = f"appearance.weights.{weight}"
    single, double = (losses_of(build("appearance", f"{key}={value}")) for value in (1.5, 3.0))
    for name, value in single.items():
        assert double[name].item() == pytest.approx(value.item() * (2 if name == weight else 1), rel=1e-4)


def test_semantic_validation_against_itself(build: Build) -> None:
    stage = build("semantic")
    assert isinstance(stage, SemanticTask)
    scores = stage.validate(stage.networks.eval())
    assert 0 <= scores["miou"] <= 1
    assert 0.05 < scores["miou_of_copying"] < 0.9
    stage.held_out_indices = torch.tensor([[1, 1], [2, 2]])
    assert stage.validate(stage.networks)["miou_of_copying"] == 1


def test_pose_validation(build: Build) -> None:
    stage = build("pose")
    assert isinstance(stage, PoseTask)

    class Truth(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return strided_heatmaps(stage.held_out.poses, SIZE, stage.model.stride)

    scores = stage.validate(nn.ModuleDict({"pose": Truth()}))
    assert scores["pck"] > 0.95  # all but joints outside of the frame
    assert scores["median_error"] <= stage.model.stride


def test_pose_loss_is_least_at_the_pose_asked_for(build: Build) -> None:
    task = build("appearance")
    assert isinstance(task, AppearanceTask)
    poses = torch.rand(1, 18, 2) * 60

    class Truth(nn.Module):
        stride = 2

        def forward(self, images: Tensor) -> Tensor:
            return strided_heatmaps(poses, SIZE, 2)

    def loss(asked: Tensor) -> float:
        frozen: Any = FrozenNetworks(None, Truth(), VggFeatures())  # type: ignore[arg-type]
        others: Any = None
        images = torch.zeros(1, 3, *SIZE)
        given = (task.config, frozen, task.discriminators)
        return TERMS["pose"](Generated(others, others, asked, images, others, others, None, *given)).item()

    assert loss(poses) == 0
    assert loss(poses + 3) > 0


@pytest.mark.slow
def test_h_s_overfits_eight_maps(samplers: tuple[PersonDataset, PersonDataset]) -> None:
    """Four pairs of people: given one map and both poses, H_S can learn the other."""
    torch.manual_seed(0)
    train_data = samplers[0]
    source = train_data.batch(torch.arange(0, 16, 2))
    target = train_data.batch(torch.arange(1, 17, 2))
    model = SemanticGenerator(SemanticConfig((16, 32, 64, 64, 64), warped_levels=2, dropout=0.0))
    transfer = Transfer(source.poses, target.poses, SIZE)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3, (0.9, 0.99))
    for _ in range(250):
        loss = parsing_cross_entropy(predict_parsing(model, source, transfer), target.labels, torch.zeros(8, 1, *SIZE))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    logits = predict_parsing(model.eval(), source, transfer)
    assert mean_iou(count_intersection_and_union(logits.argmax(1), target.labels).sum(0)) > 0.9


@pytest.mark.parametrize(("name", "columns", "rows"), [("pose", 3, 6), ("semantic", 4, TEST)])
def test_sheets(build: Build, name: str, columns: int, rows: int) -> None:
    stage = build(name)
    networks = stage.networks.eval()
    picture = stage.draw_samples(networks)
    assert picture is not None
    assert picture.dtype == np.uint8
    assert picture.shape[0] > rows * 128  # no less than that wide, for the captions
    assert columns * 128 < picture.shape[1] < (columns + 1) * 128
    assert np.array_equal(picture, stage.draw_samples(networks))  # the same people each time
    with torch.no_grad():
        for parameter in networks.parameters():
            parameter.normal_()
    assert not np.array_equal(picture, stage.draw_samples(networks))
