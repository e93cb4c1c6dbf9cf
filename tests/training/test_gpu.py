"""Trainings on a GPU: as on the CPU, in fp16 and bf16, resumed, and in two processes on one device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file

from pgen.training.checkpoint import Checkpoints
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.loop import Step, create_state, train
from pgen.training.run import RunConfig
from tests.models.every_network import full_precision
from tests.training import together
from tests.training.people import write_people
from tests.training.stages import NAMES, builder

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    write_people(folder / "people.h5")
    return folder


def on_gpu(rank: int = 0, world: int = 1) -> ProcessGroup:
    return ProcessGroup(rank, world, torch.device("cuda", 0), world)


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The relative difference of all gradients."""
    assert one.keys() == other.keys()
    a, b = (torch.cat([of[name].flatten().cpu().float() for name in other if name != "losses"]) for of in (one, other))
    return float((a - b).norm() / b.norm())


def run_steps(folder: Path, name: str, precision: str, steps: int, **options: Any) -> Path:
    stage = builder(folder / "people.h5", "cuda")(name, *together.settings_of(name))
    run = RunConfig(folder / f"{name}-{precision}", {}, precision=precision, max_steps=steps, **options)
    return train(stage, run, together.quiet, on_gpu())


def test_a_step_is_that_of_the_cpu(folder: Path) -> None:
    with full_precision():
        found, expected = (together.gradients(processes, folder) for processes in (on_gpu(), ProcessGroup()))
    for name in NAMES:
        assert difference(found[name], expected[name]) < 1e-2, name


@pytest.mark.parametrize("name", ["semantic", "appearance"])
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_autocast_with_gradients_scaled(folder: Path, name: str, precision: str) -> None:
    path = run_steps(folder, name, precision, 6)
    weights = load_file(path)
    assert all(value.isfinite().all() for value in weights.values())
    kept = Checkpoints(path.parent).load()[0]
    assert (kept["scaler"].get("scale", 1.0) > 1) == (precision == "fp16")


def test_resumed_it_goes_on(folder: Path, tmp_path: Path) -> None:
    """Up to the order of sums, which is not fixed on GPUs."""
    whole = load_file(run_steps(folder, "semantic", "fp32", 6))
    parts = tmp_path / "parts"
    parts.mkdir()
    write_people(parts / "people.h5")
    run_steps(parts, "semantic", "fp32", 3)
    again = load_file(run_steps(parts, "semantic", "fp32", 6, resume=True))
    for key, expected in whole.items():
        torch.testing.assert_close(again[key], expected, rtol=1e-2, atol=1e-2)


def _share_device(rank: int, work: Callable[[ProcessGroup, Path], Any], folder: Path) -> None:
    """One of two processes; NCCL wants a GPU each, gloo does not."""
    store = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    try:
        found = work(on_gpu(rank, 2), folder)
        if rank == 0:
            torch.save({name: {k: v.cpu() for k, v in of.items()} for name, of in found.items()}, folder / "found.pt")
    finally:
        dist.destroy_process_group()


def test_two_processes_on_one_device(folder: Path) -> None:
    mp.spawn(_share_device, (together.grow, folder), nprocs=2)
    found = torch.load(folder / "found.pt", weights_only=True)
    for phase, expected in together.grow(on_gpu(), folder).items():
        assert difference(found[phase], expected) < 2e-2, phase


def test_how_often_a_step_waits(folder: Path) -> None:
    """For the plans of warps and pastes, whose size is read from the device, and for losses that are not finite.

    The rest of a step runs ahead of the device: with as many samples, no more waits.
    """

    def count_waits(batch: int) -> int:
        stage = builder(folder / "people.h5", "cuda")(
            "appearance", *together.settings_of("appearance"), f"schedule.batch={batch}"
        )
        run = RunConfig(folder / "none", {})
        state = create_state(stage, run, on_gpu())
        step = Step(stage, state, run, on_gpu())
        first, second = load_steps(stage, 0, range(2), on_gpu())
        step(first)
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with pytest.warns(UserWarning, match="synchroniz") as warned:
                step(second)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return len(warned)

    few, many = (count_waits(batch) for batch in (2, 8))
    assert many <= few + 2
