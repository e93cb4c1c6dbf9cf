"""The training loop of all stages: step, average, log, checkpoint, and the weights at the end."""

from __future__ import annotations

import copy
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from pgen.data.weights import save_weights
from pgen.errors import InputError, PgenError
from pgen.training.checkpoint import State
from pgen.training.config import Schedule
from pgen.training.draws import Draw

D = TypeVar("D", bound=Draw)


class Stage(Protocol[D]):
    """What differs between the trainings of pose detector, H_S and H_A."""

    name: str
    frame: tuple[int, int]
    schedule: Schedule
    networks: nn.ModuleDict  #: trained, averaged and saved
    critics: nn.ModuleDict  #: discriminators
    companions: Mapping[str, nn.Module]  #: frozen networks that belong to the finished weights
    rates: Mapping[str, float]  #: learning rates of single networks, as shares of the schedule's; 1 for the others

    def begin(self, step: int, average: nn.ModuleDict) -> None:
        """Prepare the networks, and their averaged copies, for ``step``."""

    def draw(self, generator: torch.Generator) -> D:
        """Draw the samples of one step."""

    def generator_losses(self, draw: D) -> dict[str, Tensor]:
        """The weighted losses of these samples, each a mean over them."""

    def critic_losses(self) -> dict[str, Tensor]:
        """The discriminators' losses on the same batch."""

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """Scores of the averaged networks on held-out people."""


@dataclass
class Run:
    """Where a training writes, how often, and when to stop."""

    folder: Path
    info: dict[str, Any]  #: the resolved configuration, saved with the weights
    seed: int = 0
    precision: str = "fp32"  #: "fp32" or "bf16" (autocast)
    max_steps: int | None = None  #: stop here, to be resumed later
    checkpoint_seconds: float = 180.0
    log_steps: int = 50
    validate_steps: int = 1000
    resume: bool = False

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def check_folder(self) -> None:
        """Refuse to write over another run. Raises InputError."""
        if self.resume:
            return
        if self.checkpoint.exists():
            raise InputError(
                f"{self.folder} holds an unfinished run: continue it with --resume or choose another --out"
            )
        if self.weights.exists():
            raise InputError(f"{self.folder} holds a finished run: choose another --out, or remove it first")


def rate_factor(schedule: Schedule, step: int) -> float:
    """Learning-rate factor at ``step``: linear warm-up, constant, linear decay to 0."""
    rising = min(1.0, (step + 1) / max(schedule.warmup, 1))
    decay_steps = max(schedule.decay * schedule.steps, 1)
    return rising * min(1.0, (schedule.steps - step) / decay_steps)


def train(stage: Stage, run: Run, report: Callable[[int, dict[str, float]], None]) -> Path:
    """Train ``stage`` to its last step and return the path of the finished weights (averaged, float32).

    ``report(step, values)`` is called at every log. With ``run.resume`` it continues from the last checkpoint: batches
    and dropout are functions of (seed, step), so the course is that of an uninterrupted run. Stopped before its last
    step, by ``run.max_steps``, it returns the checkpoint's path. Ctrl-C is heeded at the end of a step, with a
    checkpoint.

    Raises:
        InputError: the folder holds another run, or a checkpoint that does not fit.
        PgenError: a loss or gradient is not finite; nothing of that step is kept.
    """
    schedule = stage.schedule
    run.check_folder()
    run.folder.mkdir(parents=True, exist_ok=True)
    if run.weights.exists() and not run.checkpoint.exists():
        return run.weights
    stage.networks.train()
    parameters = list(stage.networks.parameters())
    critic_parameters = list(stage.critics.parameters())
    betas = (schedule.beta1, schedule.beta2)
    state = State(
        stage.networks,
        stage.critics,
        copy.deepcopy(stage.networks).eval().requires_grad_(False),
        torch.optim.Adam(
            [
                {"params": list(network.parameters()), "share": stage.rates.get(name, 1.0)}
                for name, network in stage.networks.items()
            ],
            schedule.rate,
            betas,
        ),
        torch.optim.Adam(critic_parameters, schedule.critic_rate, betas) if critic_parameters else None,
    )
    if run.checkpoint.exists():
        state.restore(run.checkpoint)
    last = min(schedule.steps, run.max_steps or schedule.steps)
    saved_at, started, logged = time.monotonic(), time.monotonic(), state.step
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as log, _stop_after_step() as asked_to_stop:

        def write(values: dict[str, float]) -> None:
            log.write(json.dumps({"step": state.step, **{k: round(v, 6) for k, v in values.items()}}) + "\n")
            log.flush()
            report(state.step, values)

        while state.step < last:
            losses = _step(stage, run, state, parameters)
            _average(state.average, stage.networks, min(schedule.ema, 1 - 1 / (state.step + 1)))
            state.step += 1
            if state.step % run.log_steps == 0 or state.step == last:
                rate = (state.step - logged) * schedule.batch / (time.monotonic() - started)
                write({**{name: value.item() for name, value in losses.items()}, "samples_per_second": rate})
                started, logged = time.monotonic(), state.step
            if state.step % run.validate_steps == 0 or state.step == schedule.steps:
                write(stage.validate(state.average))
                started, logged = time.monotonic(), state.step
            due = time.monotonic() - saved_at > run.checkpoint_seconds
            if due or state.step == last or asked_to_stop():
                state.save(run.checkpoint)
                saved_at = time.monotonic()
            if asked_to_stop():
                raise KeyboardInterrupt
    if last < schedule.steps:
        return run.checkpoint
    save_weights(run.weights, stage.frame, {**state.average, **stage.companions}, run.info, force=True)
    run.checkpoint.unlink()
    return run.weights


def _step(stage: Stage, run: Run, state: State, parameters: list[nn.Parameter]) -> dict[str, Tensor]:
    """One step of the generator and one of the discriminators; returns all losses."""
    schedule, step = stage.schedule, state.step
    seed = (run.seed * 1_000_003 + step) % 2**63
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    factor = rate_factor(schedule, step)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=run.precision == "bf16")

    stage.begin(step, state.average)
    stage.critics.requires_grad_(False)
    with autocast:
        losses = stage.generator_losses(stage.draw(generator))
        total = torch.stack(list(losses.values())).sum()
    _require_finite(step, "loss", losses, total, run)
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()
    norm = nn.utils.clip_grad_norm_(parameters, schedule.clip or torch.inf)
    _require_finite(step, "gradient", losses, norm, run)

    critic_losses: dict[str, Tensor] = {}
    if state.critic_optimiser is not None:
        # Both verdicts are on the batch as the generator made it, before either steps.
        stage.critics.requires_grad_(True)
        with autocast:
            critic_losses = stage.critic_losses()
            critic_total = torch.stack(list(critic_losses.values())).sum()
        _require_finite(step, "discriminators' loss", critic_losses, critic_total, run)
        state.critic_optimiser.zero_grad(set_to_none=True)
        critic_total.backward()
        state.critic_optimiser.param_groups[0]["lr"] = schedule.critic_rate * factor
        state.critic_optimiser.step()
    for group in state.optimiser.param_groups:
        group["lr"] = schedule.rate * factor * group["share"]
    state.optimiser.step()
    return losses | critic_losses


def _require_finite(step: int, what: str, losses: dict[str, Tensor], value: Tensor, run: Run) -> None:
    if torch.isfinite(value):
        return
    told = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
    kept = f"{run.checkpoint} holds the last good state" if run.checkpoint.exists() else "no checkpoint was written yet"
    raise PgenError(f"step {step}: the {what} is not finite ({told}); {kept}; a lower rate may help")


@torch.no_grad()
def _average(average: nn.Module, networks: nn.Module, decay: float) -> None:
    for kept, new in zip(average.state_dict().values(), networks.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


@contextmanager
def _stop_after_step() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C until the step is whole; a second one ends at once. Yields whether one came."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came = False
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)
