"""Samples a second of the three trainings with the preset synthetic-128, and where the time of a step goes.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_training.py``
"""

from __future__ import annotations

import time
from collections import defaultdict

import pytest
import torch

from pgen.data.pseudo_labels import find_matches
from pgen.data.samples import Sampler
from pgen.data.store import Store, StoreWriter
from pgen.data.vgg import perceptual_features
from pgen.models.pose_detector import pose_detector
from pgen.models.semantic import SemanticGenerator
from pgen.people.dataset import synthetic_examples
from pgen.training.appearance_stage import AppearanceStage, Frozen
from pgen.training.config import load_preset
from pgen.training.pose_stage import PoseStage, frozen
from pgen.training.semantic_stage import SemanticStage
from pgen.training.stage import Stage

PAIRS = torch.tensor([[0, 1]])


@pytest.fixture(scope="module")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> Sampler:
    path = tmp_path_factory.mktemp("people") / "people.h5"
    with StoreWriter(path, (128, 128), source="tests", options={}) as writer:
        for item in synthetic_examples(16, 2, seed=11, size=(128, 128)):
            writer.add(item)
    with Store(path) as store:
        return Sampler(store)


def stage_of(name: str, sampler: Sampler) -> Stage:
    preset = load_preset("synthetic-128")
    if name == "pose":
        return PoseStage(preset.pose, sampler, sampler, seed=0)
    if name == "hs":
        return SemanticStage(preset.semantic, sampler, sampler, PAIRS, seed=0)
    fixed = Frozen(
        frozen(SemanticGenerator(preset.semantic.network)),
        frozen(pose_detector(preset.pose.network)),
        perceptual_features()[0],
    )
    matches = torch.from_numpy(find_matches(sampler))
    return AppearanceStage(preset.appearance, fixed, sampler, sampler, PAIRS, matches, seed=0)


def median_shares(stage: Stage, precision: str, steps: int) -> tuple[float, dict[str, float]]:
    """Median seconds of a step, and of its parts, as the training loop takes them; the first step is left out."""
    optimiser = torch.optim.Adam(stage.networks.parameters(), 1e-4)
    parameters = list(stage.critics.parameters())
    critic_optimiser = torch.optim.Adam(parameters, 1e-4) if parameters else None
    times: dict[str, list[float]] = defaultdict(list)
    for step in range(steps + 1):
        marks = [time.perf_counter()]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            stage.critics.requires_grad_(False)
            total = torch.stack(
                list(stage.generator_losses(stage.draw(torch.Generator().manual_seed(step))).values())
            ).sum()
        marks.append(time.perf_counter())
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        marks.append(time.perf_counter())
        optimiser.step()
        marks.append(time.perf_counter())
        if critic_optimiser is not None:
            stage.critics.requires_grad_(True)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                critics = torch.stack(list(stage.critic_losses().values())).sum()
            critic_optimiser.zero_grad(set_to_none=True)
            critics.backward()
            critic_optimiser.step()
        marks.append(time.perf_counter())
        for part, start, end in zip(("forward", "backward", "Adam", "critics"), marks[:-1], marks[1:], strict=True):
            times[part].append(end - start)
        times["step"].append(marks[-1] - marks[0])
    medians = {part: sorted(seconds[1:])[steps // 2] for part, seconds in times.items()}
    return medians.pop("step"), medians


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["pose", "hs", "joint"])
def test_bench_training(sampler: Sampler, name: str) -> None:
    print()
    for precision in ("fp32", "bf16"):
        stage = stage_of(name, sampler)
        stage.networks.train()
        seconds, parts = median_shares(stage, precision, steps=7)
        batch = stage.schedule.batch
        shares = "   ".join(f"{part} {value / seconds:4.0%}" for part, value in parts.items())
        print(
            f"{name:5} {precision}  batch {batch:2}  {torch.get_num_threads()} threads  "
            f"{batch / seconds:6.1f} samples/s   {1e3 * seconds:6.0f} ms a step:  {shares}"
        )
