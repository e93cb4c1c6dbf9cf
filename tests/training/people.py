"""A tiny data set of synthetic people, settings that make the three trainings take seconds, and a tiny H_A's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pgen.data.dataset import PersonDataset
from pgen.data.example import Example
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import StoreWriter
from pgen.models.parser import Parser, ParserConfig
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.models.vgg import VggFeatures
from pgen.pseudo_labels.varied_search import find_matches
from pgen.training.config import load_preset
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import freeze

SIZE = (64, 64)
TRAIN, TEST = 14, 4  # people, two views each

#: For ``load_preset`` and ``--set``.
TINY = (
    *(
        f"{stage}.schedule.{key}"
        for stage in ("pose", "semantic", "appearance", "parser")
        for key in ("steps=4", "batch=2")
    ),
    "pose.network.width=4",
    *(f"{stage}.network.widths=[4, 8, 8, 8]" for stage in ("semantic", "appearance")),
    "parser.network.widths=[4, 8, 8]",
    "parser.network.depths=[1, 1, 1]",
    "semantic.adversarial=0.1",
    "semantic.discriminator.width=4",
    "appearance.discriminator.width=4",
    "appearance.face_discriminator.width=4",
)


PAIRS = torch.tensor([[2 * k, 2 * k + 1] for k in range(TEST)])

#: Settings of each variant.
VARIANTS = {
    "baseline": ("appearance.variant=baseline",),
    **{name: (f"appearance.variant={name}",) for name in ("ts-gt", "ts-pred", "e2e")},
}


@cache
def examples() -> list[Example]:
    return [
        synthetic_example(11, person, view, SIZE, split="train" if person < TRAIN else "test")
        for person in range(TRAIN + TEST)
        for view in range(2)
    ]


def write_people(path: Path) -> Path:
    """A store of the people; the test pairs are the two views of each held-out person, both ways."""
    with StoreWriter(path, SIZE, source="tests", options={}) as writer:
        for item in examples():
            writer.add(item)
        first = [2 * person for person in range(TRAIN, TRAIN + TEST)]
        writer.set_pairs("test", [(k, k + 1) for k in first] + [(k + 1, k) for k in first])
    return path


def draw_nothing(rows: object) -> NDArray[np.uint8]:
    """In place of `pgen.training.curves.draw_curves`."""
    return np.zeros((8, 8, 3), np.uint8)


class NarrowFeatures(VggFeatures):
    """Random features of the shape that VGG's have, in a fraction of the time."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 8, 8, 128)
        for name, before, after in zip(("0", "2", "5"), widths, widths[1:], strict=False):
            self.features[name] = nn.Conv2d(before, after, 3, padding=1)
        self.requires_grad_(False)


def painting(
    samplers: tuple[PersonDataset, PersonDataset], *settings: str, recipe: str | None = None
) -> AppearanceTask:
    """A tiny training of H_A with random frozen networks, on training and held-out people."""
    torch.manual_seed(5)
    semantic = SemanticGenerator(SemanticConfig((4, 8, 8, 8), warped_levels=2, dropout=0.0))
    pose, parser = LightPoseDetector(PoseDetectorConfig(width=4)), Parser(ParserConfig((4, 4, 4), (1, 1, 1)))
    fixed = FrozenNetworks(freeze(semantic), freeze(pose), NarrowFeatures(), parser=freeze(parser))
    config = load_preset("synthetic-64", (*TINY, *settings), recipe).appearance
    matches = torch.from_numpy(find_matches(samplers[0], 2, 1))
    return AppearanceTask(config, TaskData(*samplers), PAIRS, matches, fixed)
