"""The tasks of the trainings, made of a data set and of the weights that come before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.store import Store
from pgen.data.weights import load_weights
from pgen.errors import InputError
from pgen.models.semantic import upscale_semantic
from pgen.pseudo_labels.matches import load_training_matches
from pgen.training.config import Preset
from pgen.training.distributed import ProcessGroup
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance import AppearanceTask, needs_semantic
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask

AnyPath = str | os.PathLike[str]

#: How many held-out pairs the scores at intervals are taken over.
_VALIDATION_PAIRS = 96

_NAMES = {"semantic": "H_S", "appearance": "H_A", "pose": "a pose detector"}


@dataclass(frozen=True)
class TaskBuilder:
    """What tasks are made of: a data set, and weights that a training starts from or looks through."""

    config: Preset
    store: Store
    run: RunConfig
    processes: ProcessGroup
    log: Callable[[str], None]
    semantic: AnyPath
    pose: AnyPath
    vgg: AnyPath | None
    start: AnyPath | None

    def build(self, name: str) -> TrainingTask:
        """The task of the training ``name``. Raises InputError for weights and data that do not fit it."""
        config, sharing = self.config, self.processes.local_world
        train, held_out = (PersonDataset(self.store, split, sharing=sharing) for split in ("train", "test"))
        data = TaskData(train, held_out, self.run.seed, self.processes.device)
        if name == "pose":
            return PoseTask(config.pose, data)
        if name == "parser":
            return ParserTask(config.parser, data)
        # Broken weights are found before pseudo labels, which take long.
        frozen = self._load_frozen() if name == "joint" else None
        pairs, matches = held_out_pairs(self.store), self._find_matches(train)
        task = (
            SemanticTask(config.semantic, data, pairs, matches)
            if frozen is None
            else AppearanceTask(config.appearance, data, pairs, matches, frozen)
        )
        if self.start is not None:
            model, is_half = self._load(self.start, "start", "appearance" if frozen else "semantic")
            try:
                task.start_from(upscale_semantic(model) if is_half and not frozen else model)
            except RuntimeError:
                raise InputError(f"{self.start}: its sizes are not the preset's", option="start") from None
        return task

    def _load_frozen(self) -> FrozenNetworks:
        """What H_A's training looks through, on the device."""
        semantic, device = None, self.processes.device
        if needs_semantic(self.config.appearance):
            semantic, is_half = self._load(self.semantic, "semantic", "semantic")
            if is_half:
                self.log(f"{self.semantic}: grown to twice its frame")
                semantic = upscale_semantic(semantic)
            semantic = freeze(semantic).to(device)
        pose, is_half = self._load(self.pose, "pose", "pose")
        if is_half:
            self.log(f"{self.pose}: looks at pictures half as large")
        perceptual, origin = load_vgg_features(self.vgg, fetch=True)
        self.log(f"perceptual features: {origin}")
        return FrozenNetworks(semantic, freeze(pose).to(device), perceptual.to(device), 2 if is_half else 1)

    def _load(self, path: AnyPath, option: str, role: str) -> tuple[Any, bool]:
        """The network of a file, and whether it was trained at half the frame of the data."""
        what, is_start = _NAMES[role], option == "start"
        if not (is_start or Path(path).exists()):
            raise InputError(f"{path}: there is no such file; train {what} first", option=option)
        weights = load_weights(path, option)
        network = getattr(weights, role)
        if network is None:
            remedy = "choose weights that hold one" if is_start else "train one first"
            raise InputError(f"{path}: holds no {what.removeprefix('a ')}; {remedy}", option=option)
        is_half = (2 * weights.frame[0], 2 * weights.frame[1]) == self.store.size
        if not (is_half or is_start) and weights.frame != self.store.size and self.processes.is_first:
            frame, size = ("x".join(map(str, sides)) for sides in (weights.frame, self.store.size))
            self.run.warn(f"{path}: trained at {frame}, the data are {size}")
        return network, is_half

    def _find_matches(self, train: PersonDataset) -> Tensor:
        """Pseudo labels (N, K), which the first process finds and sends to the others."""
        config, seed = self.config.semantic, self.run.seed
        options = config.nearest, config.other_facing, seed, config.garment_tolerance
        matches, origin = self.processes.broadcast(lambda: load_training_matches(self.store, train, *options))
        self.log(origin)
        return torch.from_numpy(matches)


def held_out_pairs(store: Store) -> Tensor:
    """Test pairs (M, 2) as indices into the test split, evenly thinned to a number quick to score."""
    position = {int(index): k for k, index in enumerate(store.indices("test"))}
    pairs = [pair for pair in store.pairs("test").tolist() if position.keys() >= set(pair)]
    if not pairs:
        raise InputError(f"{store.path}: has no pairs of test images to validate on; prepare the data set with some")
    chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), _VALIDATION_PAIRS)).astype(int)
    return torch.tensor([[position[index] for index in pairs[k]] for k in chosen])
