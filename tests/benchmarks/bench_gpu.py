"""Images a second, memory and share of peak of every preset's trainings, and of generation, on a GPU.

The peak is the rate of a product of matrices in the same precision, measured in the same run; FLOPs are those of
products and convolutions, forward and backward. Networks are random, of the preset's sizes, wholly grown.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_gpu.py``. ``PGEN_JSON`` names a file for the numbers. Without a GPU
only the smallest preset runs, on the CPU with two samples a step, which shows that this file works and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from pgen.data.dataset import PersonDataset
from pgen.data.pretrained import load_vgg_features
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.data.weights import Weights
from pgen.inference.predictor import Predictor
from pgen.models.registry import build_network
from pgen.training.config import Preset, list_names, load_preset
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.loop import Step, create_state
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.base import TrainingTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask
from tests.benchmarks.rates import Row, measure, measure_product_rate, report

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
IS_TINY = DEVICE.type == "cpu"
PRESETS = ["synthetic-64"] if IS_TINY else list_names("preset")
PRECISIONS = ("fp32",) if IS_TINY else ("fp32", "bf16", "fp16")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
TASKS = ("pose", "semantic", "appearance")
PEOPLE, PAIRS = 4 if IS_TINY else 16, torch.tensor([[0, 1]])


def load_people(folder: Path, size: tuple[int, int]) -> PersonDataset:
    path = folder / "people.h5"
    with StoreWriter(path, size, source="tests", options={}) as writer:
        for item in (synthetic_example(11, k // 2, k % 2, size) for k in range(PEOPLE)):
            writer.add(item)
    with Store(path) as store:
        return PersonDataset(store)


def build_task(name: str, preset: Preset, people: PersonDataset) -> TrainingTask:
    data = TaskData(people, people, device=DEVICE)
    matches = torch.arange(PEOPLE).roll(2)[:, None]
    if name == "pose":
        return PoseTask(preset.pose, data)
    if name == "semantic":
        return SemanticTask(preset.semantic, data, PAIRS, matches)
    frozen = FrozenNetworks(
        freeze(build_network("semantic", preset.semantic.network)).to(DEVICE),
        freeze(build_network("pose", preset.pose.network)).to(DEVICE),
        load_vgg_features()[0].to(DEVICE),
    )
    return AppearanceTask(preset.appearance, data, PAIRS, matches, frozen)


def prepare_step(task: TrainingTask, folder: Path, precision: str) -> tuple[Callable[[], object], int]:
    """A step on samples that are there already, and how many these are."""
    processes, run = ProcessGroup(device=DEVICE), RunConfig(folder, {}, precision=precision)
    state = create_state(task, run, processes)
    state.step = task.schedule.steps - 1  # wholly grown
    (batch,) = load_steps(task, 0, range(1), processes)
    step = Step(task, state, run, processes)
    return lambda: step(batch), task.schedule.batch


def prepare_generation(preset: Preset, size: tuple[int, int], precision: str) -> Callable[[], object]:
    """One person in eight poses, as `Predictor.generate_many` makes the networks' own pictures."""
    networks: dict[str, nn.Module] = {
        role: build_network(role, getattr(preset, role).network).eval().to(memory_format=torch.channels_last)
        for role in ("semantic", "appearance")
    }
    predictor = Predictor(Weights(size, **networks), device=DEVICE, precision=precision)  # type: ignore[arg-type]
    photo = synthetic_example(11, 0, 0, size)
    person = predictor.person(photo.image, photo.pose, photo.parsing)
    poses = [photo.pose + shift for shift in range(8)]
    return lambda: list(predictor.generate_many(person, poses, resolution="network"))


@pytest.mark.benchmark
def test_bench_gpu(tmp_path: Path) -> None:
    rates = {precision: measure_product_rate(DEVICE, DTYPES[precision]) for precision in PRECISIONS}
    rows: list[Row] = []
    runs = 1 if IS_TINY else 5
    for name in PRESETS:
        tiny = [f"{task}.schedule.batch=2" for task in TASKS] if IS_TINY else []
        preset = load_preset(name, tiny)
        size = (preset.frame[0], preset.frame[1])
        (folder := tmp_path / name).mkdir()
        people = load_people(folder, size)
        for precision in PRECISIONS:
            rate = rates[precision]
            for task_name in TASKS:
                work, count = prepare_step(build_task(task_name, preset, people), folder, precision)
                stage = f"{name}, train {task_name}, {precision}"
                rows.append(measure(stage, work, rate, count, runs, DEVICE))
            work = prepare_generation(preset, size, precision)
            rows.append(measure(f"{name}, one person in 8 poses, {precision}", work, rate, 8, runs, DEVICE))
    peaks = {f"product rate in {precision}, TFLOP a second": rate / 1e12 for precision, rate in rates.items()}
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else f"the CPU, {torch.get_num_threads()} threads"
    report(f"{device}; torch {torch.__version__}", rows, peaks)
    assert len(rows) == len(PRESETS) * len(PRECISIONS) * (len(TASKS) + 1)
