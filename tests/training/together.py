"""What several processes do in `test_processes`; the same in one process is what it is compared to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.loop import Step, create_state, train
from pgen.training.run import RunConfig
from tests.training.stages import NAMES, builder

#: So that the course does not depend on the number of processes: no dropout, and no areas of whole batches.
SAME = {"pose": (), "parser": ("soft_iou=0",), "semantic": ("network.dropout=0",), "appearance": ("network.dropout=0",)}
SCHEDULE = tuple(
    f"schedule.{setting}" for setting in ("batch=4", "steps=6", "warmup=1", "checkpoint_seconds=0", "validate_every=6")
)

Gradients = dict[str, dict[str, torch.Tensor]]


def quiet(step: int, values: dict[str, float]) -> None:
    pass


def settings_of(name: str) -> tuple[str, ...]:
    return (*SCHEDULE, *SAME[name])


#: Stages that are trained in bf16 too, which some processors are slow at.
IN_BF16 = ("semantic", "appearance")


def gradients(
    processes: ProcessGroup,
    folder: Path,
    accumulate: int = 1,
    precision: str = "fp32",
    names: Sequence[str] = NAMES,
) -> Gradients:
    """Gradients of all parameters, running statistics and losses after one step of each stage."""
    build = builder(folder / "people.h5", processes.device)
    found: Gradients = {}
    for name in names:
        stage = build(name, *settings_of(name), f"schedule.accumulate={accumulate}")
        processes.sync_batch_norms(stage.networks)
        run = RunConfig(folder / "none", {}, precision=precision)
        state = create_state(stage, run, processes)
        (loaded,) = load_steps(stage, 0, range(1), processes)
        losses = Step(stage, state, run, processes)(loaded)
        every = [*stage.networks.named_parameters(), *stage.discriminators.named_parameters("critics")]
        parameters = [(key, p) for key, p in every if p.requires_grad]  # the parser's trunk is frozen
        found[name] = {key: p.grad for key, p in parameters if p.grad is not None}
        assert len(found[name]) == len(parameters)
        found[name] |= {key: buffer for key, buffer in stage.networks.named_buffers() if "running" in key}
        found[name]["losses"] = processes.mean(torch.stack(list(losses.values())))
    return found


def grow(processes: ProcessGroup, folder: Path) -> Gradients:
    """Gradients of a two-level H_A in each phase of its growth: coarse alone, fading in, both."""
    growth = ("growth.coarse_steps=1", "growth.fade_in_steps=1", "network.local_widths=[2, 4]")
    stage = builder(folder / "people.h5", processes.device)("appearance", *settings_of("appearance"), *growth)
    run = RunConfig(folder / "none", {})
    state = create_state(stage, run, processes)
    step, found = Step(stage, state, run, processes), {}
    for phase, loaded in zip(("coarse", "fade", "both"), load_steps(stage, 0, range(3), processes), strict=True):
        step(loaded)
        state.step += 1
        found[phase] = {key: p.grad.clone() for key, p in stage.networks.named_parameters() if p.grad is not None}
    return found


def train_on(processes: ProcessGroup, folder: Path, run: str, steps: int) -> Path:
    """Go on with the run of H_S in ``folder`` up to so many steps."""
    stage = builder(folder / "people.h5")("semantic", *settings_of("semantic"))
    return train(stage, RunConfig(folder / run, {}, max_steps=steps, resume=True), quiet, processes)


def all_together(processes: ProcessGroup, folder: Path) -> None:
    """Everything that two processes are to be seen doing, in one start."""
    found = gradients(processes, folder)
    in_bf16 = gradients(processes, folder, precision="bf16", names=IN_BF16)
    in_parts = gradients(processes, folder, accumulate=2)
    grown = grow(processes, folder)
    train_on(processes, folder, "run", 4)
    told = processes.broadcast(lambda: ["who", processes.rank])
    seen = [
        processes.any(processes.rank == 1),
        processes.any(False),
        processes.mean(torch.tensor(processes.rank * 1.0)),
    ]
    if processes.is_first:
        torch.save(
            {
                "fp32": found,
                "bf16": in_bf16,
                "parts": in_parts,
                "grown": grown,
                "told": told,
                "seen": seen,
                "threads": torch.get_num_threads(),
            },
            folder / "found.pt",
        )
    else:
        assert told == ["who", 0]
