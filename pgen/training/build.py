"""The stages of ``pgen train-*``, built from a store and what came before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pgen.cli.errors_to_exit_codes import warn
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
class Materials:
    """What all stages are made of."""

    config: Preset
    store: Store
    train: PersonDataset
    held_out: PersonDataset
    seed: int
    processes: ProcessGroup
    say: Callable[[str], None]  #: tells the user, in the first process


def pose_stage(made_of: Materials) -> TrainingTask:
    """The training of the pose detector."""
    return PoseTask(made_of.config.pose, made_of.train, made_of.held_out, made_of.seed, device=made_of.processes.device)


def parser_stage(made_of: Materials) -> TrainingTask:
    """The training of the parser."""
    return ParserTask(
        made_of.config.parser, made_of.train, made_of.held_out, made_of.seed, device=made_of.processes.device
    )


def semantic_stage(made_of: Materials, start: Path | None = None) -> TrainingTask:
    """The training of H_S. Raises InputError without held-out pairs, or if ``start`` does not fit."""
    matches = _pseudo_labels(made_of)
    stage = SemanticTask(
        made_of.config.semantic,
        made_of.train,
        made_of.held_out,
        held_out_pairs(made_of.store),
        made_of.seed,
        matches,
        device=made_of.processes.device,
    )
    if start is not None:
        weights = load_weights(start)
        if weights.semantic is None:
            raise InputError(f"--start {start}: holds no H_S; give weights of train-hs or train-joint")
        half = _is_half(weights.frame, made_of.store.size)
        model = upscale_semantic(weights.semantic) if half else weights.semantic
        try:
            stage.model.load_state_dict(model.state_dict())
        except RuntimeError:
            raise InputError(f"--start {start}: its sizes are not the preset's") from None
    return stage


def appearance_stage(
    made_of: Materials, semantic: Path, pose: Path, vgg: str | None, start: Path | None = None
) -> TrainingTask:
    """The training of H_A, with weights of the networks before. Raises InputError if they are not there."""
    config = made_of.config.appearance

    def trained(path: Path, flag: str, command: str) -> Weights:
        if not path.exists():
            raise InputError(f"{flag} {path}: there is no such file; train it with `pgen {command}`")
        weights = load_weights(path)
        if weights.frame != made_of.store.size and not _is_half(weights.frame, made_of.store.size):
            (height, width), (data_height, data_width) = weights.frame, made_of.store.size
            if made_of.processes.first:
                warn(f"{flag} {path}: trained at {height}x{width}, the data are {data_height}x{data_width}")
        return weights

    of_semantic = None
    if needs_semantic(config):
        found = trained(semantic, "--semantic", "train-hs")
        of_semantic = found.semantic
        if of_semantic is None:
            raise InputError(f"--semantic {semantic}: holds no H_S; train one with `pgen train-hs`")
        if _is_half(found.frame, made_of.store.size):
            made_of.say(f"--semantic {semantic}: grown to twice its frame")
            of_semantic = upscale_semantic(of_semantic)
    detector = trained(pose, "--pose", "train-pose")
    of_pose = detector.pose
    if of_pose is None:
        raise InputError(f"--pose {pose}: holds no pose detector; train one with `pgen train-pose`")
    pose_shrink = 2 if _is_half(detector.frame, made_of.store.size) else 1
    if pose_shrink > 1:
        made_of.say(f"--pose {pose}: looks at pictures half as large")
    perceptual, origin = load_vgg_features(vgg, fetch=True)
    made_of.say(f"perceptual features: {origin}")
    matches = _pseudo_labels(made_of)
    stage = AppearanceTask(
        config,
        FrozenNetworks(of_semantic and freeze(of_semantic), freeze(of_pose), perceptual, pose_shrink),
        made_of.train,
        made_of.held_out,
        held_out_pairs(made_of.store),
        matches,
        made_of.seed,
        device=made_of.processes.device,
    )
    if start is not None:
        of_start = load_weights(start).appearance
        if of_start is None:
            raise InputError(f"--start {start}: holds no H_A; give weights of train-joint")
        try:
            stage.start_from(of_start)
        except ValueError as error:
            raise InputError(f"--start {start}: {error}") from None
    return stage


def _is_half(frame: tuple[int, int], size: tuple[int, int]) -> bool:
    return (2 * frame[0], 2 * frame[1]) == size


def _pseudo_labels(made_of: Materials) -> Tensor:
    """Pseudo labels (N, K), which the first process finds and the others are told."""
    semantic = made_of.config.semantic
    matches, origin = made_of.processes.shared(
        lambda: load_training_matches(
            made_of.store,
            made_of.train,
            semantic.nearest,
            semantic.other_facing,
            made_of.seed,
            semantic.garment_tolerance,
        )
    )
    made_of.say(origin)
    return torch.from_numpy(matches)


def held_out_pairs(store: Store) -> Tensor:
    """Test pairs (M, 2) as indices into the test split, evenly thinned to a number quick to score."""
    position = {int(index): k for k, index in enumerate(store.indices("test"))}
    pairs = [pair for pair in store.pairs("test").tolist() if position.keys() >= set(pair)]
    if not pairs:
        raise InputError(f"{store.path}: has no pairs of test images to validate on; prepare the data set with some")
    chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), _VALIDATION_PAIRS)).astype(int)
    return torch.tensor([[position[index] for index in pairs[k]] for k in chosen])
