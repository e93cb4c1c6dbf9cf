"""Tiny stages of all three kinds, as every process of a test can build them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.store import Store
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.pseudo_labels.varied_search import find_matches
from pgen.training.config import load_preset
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask
from tests.training.people import TEST, TINY

NAMES = ("pose", "semantic", "appearance", "parser")
PAIRS = torch.tensor([[2 * k, 2 * k + 1] for k in range(TEST)])


def builder(path: Path, device: torch.device | str = "cpu") -> Callable[..., TrainingTask]:
    """What builds a stage on the people in the store ``path``, by its name and further settings."""
    with Store(path) as store:
        data = TaskData(PersonDataset(store, "train"), PersonDataset(store, "test"), device=device)
    matches = torch.from_numpy(find_matches(data.train, 2, 1))

    def build(name: str, *settings: str) -> TrainingTask:
        preset = load_preset("synthetic-64", (*TINY, *(f"{name}.{setting}" for setting in settings)))
        if name == "pose":
            return PoseTask(preset.pose, data)
        if name == "parser":
            return ParserTask(preset.parser, data)
        if name == "semantic":
            return SemanticTask(preset.semantic, data, PAIRS, matches)
        torch.manual_seed(5)
        semantic = SemanticGenerator(SemanticConfig((4, 8, 8, 8), warped_levels=2))
        fixed = FrozenNetworks(
            freeze(semantic).to(device),
            freeze(LightPoseDetector(PoseDetectorConfig(width=4))).to(device),
            load_vgg_features()[0].to(device),
        )
        return AppearanceTask(preset.appearance, data, PAIRS, matches, fixed)

    return build
