"""Samples a second of the three trainings with the preset synthetic-128, and where the time of a step goes.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_training.py``
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.models.registry import build_network
from pgen.models.semantic import SemanticGenerator
from pgen.pseudo_labels.varied_search import find_matches
from pgen.training.config import load_preset
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask

PAIRS = torch.tensor([[0, 1]])
STEPS = 2

#: Geometry and losses that are functions: (module, function) → component.
FUNCTIONS = {
    ("pgen.body.transfer", "plan_warp"): "warps, paste",
    ("pgen.body.transfer", "plan_paste"): "warps, paste",
    ("pgen.body.transfer", "paste_by_label"): "warps, paste",
    ("pgen.body.transfer", "part_affines"): "warps, paste",
    ("pgen.body.transfer", "part_masks"): "warps, paste",
    ("pgen.models.appearance", "deformable_skip"): "warps, paste",
    ("pgen.models.semantic", "deformable_skip"): "warps, paste",
    ("pgen.models.semantic", "heatmaps"): "pose maps",
    ("pgen.models.semantic", "limb_maps"): "pose maps",
    ("pgen.models.semantic", "pose_masks"): "pose maps",
    ("pgen.training.tasks.appearance_objective", "gram_matrices"): "style",
    ("pgen.training.tasks.appearance", "augment"): "samples",
    ("pgen.training.tasks.semantic", "augment"): "samples",
    ("pgen.training.tasks.pose", "augment"): "samples",
    ("pgen.training.tasks.appearance", "occlude"): "samples",
}


class Clock:
    """Seconds of each component; those of a component within another count for the inner one alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.open: list[list[Any]] = []  # name, start, seconds of what is inside

    def enter(self, name: str) -> None:
        self.open.append([name, time.perf_counter(), 0.0])

    def leave(self) -> None:
        name, start, inside = self.open.pop()
        whole = time.perf_counter() - start
        self.seconds[name] += whole - inside
        if self.open:
            self.open[-1][2] += whole

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        self.enter(name)
        try:
            yield
        finally:
            self.leave()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            with self.of(name):
                return function(*given, **named)

        return run


def networks_of(stage: TrainingTask) -> dict[str, list[nn.Module]]:
    """The networks of a step by component."""
    found = {name: [network] for name, network in stage.networks.items()}
    if len(stage.discriminators):
        found["discriminators"] = list(stage.discriminators.values())
    if isinstance(stage, AppearanceTask):
        found["detector"] = [stage.frozen.pose]
        found["perceptual"] = [stage.frozen.perceptual]
        if stage.frozen.semantic is not None and stage.config.variant == "ts-pred":
            found["H_S, frozen"] = [stage.frozen.semantic]
    return found


@contextmanager
def measured(stage: TrainingTask, clock: Clock) -> Iterator[None]:
    """While the block runs, ``clock`` counts each component's seconds forward."""
    with ExitStack() as stack:
        for name, networks in networks_of(stage).items():
            for network in networks:
                before = network.register_forward_pre_hook(lambda *_, name=name: clock.enter(name))
                after = network.register_forward_hook(lambda *_: clock.leave())
                stack.callback(before.remove)
                stack.callback(after.remove)
        for (module, function), name in FUNCTIONS.items():
            place = sys.modules[module]
            stack.enter_context(mock.patch.object(place, function, clock.timed(name, getattr(place, function))))
        yield


@pytest.fixture(scope="module")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> PersonDataset:
    path = tmp_path_factory.mktemp("people") / "people.h5"
    with StoreWriter(path, (128, 128), source="tests", options={}) as writer:
        for item in (synthetic_example(11, k // 2, k % 2, (128, 128)) for k in range(16)):
            writer.add(item)
    with Store(path) as store:
        return PersonDataset(store)


def stage_of(name: str, sampler: PersonDataset) -> TrainingTask:
    settings = ["appearance.variant=e2e"] if name == "joint e2e" else []
    preset = load_preset("synthetic-128", settings)
    data = TaskData(sampler, sampler)
    if name == "pose":
        return PoseTask(preset.pose, data)
    matches = torch.from_numpy(find_matches(sampler))
    if name == "hs":
        return SemanticTask(preset.semantic, data, PAIRS, matches)
    fixed = FrozenNetworks(
        freeze(SemanticGenerator(preset.semantic.network).to(memory_format=torch.channels_last)),
        freeze(build_network("pose", preset.pose.network).to(memory_format=torch.channels_last)),
        load_vgg_features()[0],
    )
    return AppearanceTask(preset.appearance, data, PAIRS, matches, fixed)


def backward_of_each(losses: dict[str, Tensor], clock: Clock) -> None:
    """The gradients, loss by loss: what they share, the generator's own, is counted once for each."""
    for name, loss in losses.items():
        with clock.of(name):
            loss.backward(retain_graph=True)


def a_step(
    stage: TrainingTask, precision: str, step: int, clock: Clock, optimisers: list[torch.optim.Optimizer]
) -> None:
    """A step as the training loop takes it."""

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    stage.discriminators.requires_grad_(False)
    with clock.of("other"), autocast():
        losses, judged = stage.losses(stage.sample(torch.Generator().manual_seed(step)).load(stage.train))
    with clock.of("backward"):
        torch.stack(list(losses.values())).sum().backward()
    if len(stage.discriminators):
        stage.discriminators.requires_grad_(True)
        with clock.of("discriminators' own step"):
            with autocast():
                of_critics = torch.stack(list(stage.discriminator_losses(judged).values())).sum()
            of_critics.backward()
    with clock.of("Adam"):
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


def table(shares: dict[str, float], whole: float) -> str:
    rows = sorted(shares.items(), key=lambda row: -row[1])
    return "   ".join(f"{name} {seconds / whole:.0%}" for name, seconds in rows if seconds / whole >= 0.005)


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["pose", "hs", "joint", "joint e2e"])
def test_bench_training(sampler: PersonDataset, name: str) -> None:
    print()
    for precision in ("fp32", "bf16"):
        stage = stage_of(name, sampler)
        stage.networks.train()
        optimisers = [torch.optim.Adam(m.parameters(), 1e-4) for m in (stage.networks, stage.discriminators) if len(m)]
        a_step(stage, precision, 0, Clock(), optimisers)  # (to warm up)
        clock, batch = Clock(), stage.schedule.batch
        with measured(stage, clock):
            for step in range(STEPS):
                a_step(stage, precision, step + 1, clock, optimisers)
        whole = sum(clock.seconds.values())
        speed = f"{batch * STEPS / whole:6.1f} samples/s   {1e3 * whole / STEPS:6.0f} ms a step"
        print(f"{name:9} {precision}  batch {batch:2}  {torch.get_num_threads()} threads  {speed}")
        print(f"    {table(clock.seconds, whole)}")
        if isinstance(stage, AppearanceTask) and precision == "fp32":
            stage.discriminators.requires_grad_(False)
            losses, _ = stage.losses(stage.sample(torch.Generator().manual_seed(9)).load(stage.train))
            alone = Clock()
            backward_of_each(losses, alone)
            print(f"    backward of each loss alone: {table(alone.seconds, clock.seconds['backward'] / STEPS)}")
