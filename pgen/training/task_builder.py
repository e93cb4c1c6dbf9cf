"""The tasks of the trainings, made of a data set and of the weights that come before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.store import Store
from pgen.data.weights import Weights, load_weights
from pgen.errors import InputError
from pgen.models.semantic import upscale_semantic
from pgen.pseudo_labels.matches import load_training_matches
from pgen.training.config import Preset
from pgen.training.distributed import ProcessGroup
from pgen.training.tasks.appearance import AppearanceTask, needs_semantic
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask

#: How many held-out pairs the scores at intervals are taken over.
_VALIDATION_PAIRS = 96


@dataclass(frozen=True)
class WeightsBefore:
    """Weights that a training starts from, or looks through."""

    semantic: Path
    pose: Path
    vgg: str | None
    start: Path | None


@dataclass(frozen=True)
class TaskBuilder:
    """What tasks are made of, and how."""

    config: Preset
    before: WeightsBefore
    store: Store
    train: PersonDataset
    held_out: PersonDataset
    seed: int
    processes: ProcessGroup
    log: Callable[[str], None]
    warn: Callable[[str], None]

    def build(self, name: str) -> TrainingTask:
        """The task of the training ``name``. Raises InputError for weights and data that do not fit it."""
        config, device = self.config, self.processes.device
        if name == "pose":
            return PoseTask(config.pose, self.train, self.held_out, self.seed, device=device)
        if name == "parser":
            return ParserTask(config.parser, self.train, self.held_out, self.seed, device=device)
        return self._semantic() if name == "hs" else self._appearance()

    def _semantic(self) -> TrainingTask:
        config, pairs = self.config.semantic, held_out_pairs(self.store)
        task = SemanticTask(
            config, self.train, self.held_out, pairs, self.seed, self._matches(), device=self.processes.device
        )
        start = self.before.start
        if start is not None:
            weights = load_weights(start, "start")
            if weights.semantic is None:
                raise InputError(f"{start}: holds no H_S; choose weights that hold one", option="start")
            model = upscale_semantic(weights.semantic) if self._is_half(weights.frame) else weights.semantic
            try:
                task.model.load_state_dict(model.state_dict())
            except RuntimeError:
                raise InputError(f"{start}: its sizes are not the preset's", option="start") from None
        return task

    def _appearance(self) -> TrainingTask:
        config, before, semantic = self.config.appearance, self.before, None
        if needs_semantic(config):
            weights = self._load_trained(before.semantic, "semantic", "H_S")
            semantic = weights.semantic
            if semantic is None:
                raise InputError(f"{before.semantic}: holds no H_S; train one first", option="semantic")
            if self._is_half(weights.frame):
                self.log(f"{before.semantic}: grown to twice its frame")
                semantic = upscale_semantic(semantic)
        weights = self._load_trained(before.pose, "pose", "a pose detector")
        if weights.pose is None:
            raise InputError(f"{before.pose}: holds no pose detector; train one first", option="pose")
        pose_downscale = 2 if self._is_half(weights.frame) else 1
        if pose_downscale > 1:
            self.log(f"{before.pose}: looks at pictures half as large")
        perceptual, origin = load_vgg_features(before.vgg, fetch=True)
        self.log(f"perceptual features: {origin}")
        frozen = FrozenNetworks(semantic and freeze(semantic), freeze(weights.pose), perceptual, pose_downscale)
        pairs, matches = held_out_pairs(self.store), self._matches()
        task = AppearanceTask(
            config, frozen, self.train, self.held_out, pairs, matches, self.seed, device=self.processes.device
        )
        if before.start is not None:
            model = load_weights(before.start, "start").appearance
            if model is None:
                raise InputError(f"{before.start}: holds no H_A; choose weights that hold one", option="start")
            try:
                task.start_from(model)
            except ValueError as error:
                raise InputError(f"{before.start}: {error}", option="start") from None
        return task

    def _load_trained(self, path: Path, option: str, what: str) -> Weights:
        if not path.exists():
            raise InputError(f"{path}: there is no such file; train {what} first", option=option)
        weights = load_weights(path, option)
        if weights.frame != self.store.size and not self._is_half(weights.frame) and self.processes.is_first:
            frame, size = ("x".join(map(str, sides)) for sides in (weights.frame, self.store.size))
            self.warn(f"{path}: trained at {frame}, the data are {size}")
        return weights

    def _is_half(self, frame: tuple[int, int]) -> bool:
        return (2 * frame[0], 2 * frame[1]) == self.store.size

    def _matches(self) -> Tensor:
        """Pseudo labels (N, K), which the first process finds and sends to the others."""
        config = self.config.semantic
        matches, origin = self.processes.broadcast(
            lambda: load_training_matches(
                self.store, self.train, config.nearest, config.other_facing, self.seed, config.garment_tolerance
            )
        )
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
