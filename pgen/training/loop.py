"""The training loop of all stages: step, average, log, checkpoint, and the weights at the end."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from pgen.data.outputs import write_whole
from pgen.data.weights import save_weights
from pgen.errors import InputError, PgenError
from pgen.training.config import Schedule


class Stage(Protocol):
    """What differs between the trainings of pose detector, H_S and H_A."""

    name: str
    frame: tuple[int, int]
    schedule: Schedule
    networks: nn.ModuleDict  #: trained, averaged and saved
    critics: nn.ModuleDict  #: discriminators

    def generator_losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch and return its weighted losses."""

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


def rate_factor(schedule: Schedule, step: int) -> float:
    """Learning-rate factor at ``step``: linear warm-up, constant, linear decay to 0."""
    rising = min(1.0, (step + 1) / max(schedule.warmup, 1))
    decay_steps = max(schedule.decay * schedule.steps, 1)
    return rising * min(1.0, (schedule.steps - step) / decay_steps)


def train(stage: Stage, run: Run, report: Callable[[int, dict[str, float]], None]) -> Path:
    """Train ``stage`` to its last step and return the path of the finished weights (averaged, float32).

    ``report(step, values)`` is called at every log. With ``run.resume`` it continues from the last checkpoint: batches
    and dropout are a function of (seed, step), so the course is that of an uninterrupted run.
    """
    schedule = stage.schedule
    run.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = run.folder / "checkpoint.pt"
    if checkpoint.exists() and not run.resume:
        raise InputError(f"{run.folder} holds an unfinished run: continue it with --resume or choose another --out")
    stage.networks.train()
    average = copy.deepcopy(stage.networks).eval().requires_grad_(False)
    parameters = [p for p in stage.networks.parameters() if p.requires_grad]
    betas = (schedule.beta1, schedule.beta2)
    optimiser = torch.optim.Adam(parameters, schedule.rate, betas)
    critic_parameters = list(stage.critics.parameters())
    critic_optimiser = torch.optim.Adam(critic_parameters, schedule.critic_rate, betas) if critic_parameters else None
    first = 0
    if run.resume and checkpoint.exists():
        first = _restore(checkpoint, stage, average, optimiser, critic_optimiser)
    last = min(schedule.steps, run.max_steps or schedule.steps)
    saved_at, started, logged = time.monotonic(), time.monotonic(), first
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as log:

        def write(step: int, values: dict[str, float]) -> None:
            log.write(json.dumps({"step": step, **{k: round(v, 6) for k, v in values.items()}}) + "\n")
            log.flush()
            report(step, values)

        for step in range(first, last):
            torch.manual_seed(run.seed * 1_000_003 + step)
            generator = torch.Generator().manual_seed(run.seed * 1_000_003 + step)
            factor = rate_factor(schedule, step)
            optimiser.param_groups[0]["lr"] = schedule.rate * factor
            with torch.autocast("cpu", torch.bfloat16, enabled=run.precision == "bf16"):
                stage.critics.requires_grad_(False)
                losses = stage.generator_losses(generator)
                total = torch.stack(list(losses.values())).sum()
            if not torch.isfinite(total):
                told = ", ".join(f"{name} {value.item():.3g}" for name, value in losses.items())
                raise PgenError(f"step {step}: the loss is not finite ({told}); {checkpoint} holds the last good state")
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            if schedule.clip:
                nn.utils.clip_grad_norm_(parameters, schedule.clip)
            optimiser.step()
            if critic_optimiser is not None:
                critic_optimiser.param_groups[0]["lr"] = schedule.critic_rate * factor
                stage.critics.requires_grad_(True)
                with torch.autocast("cpu", torch.bfloat16, enabled=run.precision == "bf16"):
                    critic_losses = stage.critic_losses()
                critic_optimiser.zero_grad(set_to_none=True)
                torch.stack(list(critic_losses.values())).sum().backward()
                critic_optimiser.step()
                losses |= critic_losses
            _average(average, stage.networks, min(schedule.ema, 1 - 1 / (step + 1)))
            done = step + 1
            if done % run.log_steps == 0 or done == last:
                values = {name: value.item() for name, value in losses.items()}
                rate = (done - logged) * schedule.batch / (time.monotonic() - started)
                write(done, {**values, "samples_per_second": rate})
                started, logged = time.monotonic(), done
            if done % run.validate_steps == 0 or done == schedule.steps:
                write(done, stage.validate(average))
                started, logged = time.monotonic(), done
            if time.monotonic() - saved_at > run.checkpoint_seconds or done == last:
                _save(checkpoint, done, stage, average, optimiser, critic_optimiser)
                saved_at = time.monotonic()
    if last < schedule.steps:
        return checkpoint
    weights = run.folder / "weights.safetensors"
    save_weights(weights, stage.frame, dict(average.items()), run.info, force=True)
    checkpoint.unlink()
    return weights


@torch.no_grad()
def _average(average: nn.Module, networks: nn.Module, decay: float) -> None:
    for kept, new in zip(average.state_dict().values(), networks.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def _save(path: Path, step: int, stage: Stage, average: nn.Module, optimiser: Any, critic_optimiser: Any) -> None:
    state = {
        "step": step,
        "networks": stage.networks.state_dict(),
        "critics": stage.critics.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "critic_optimiser": critic_optimiser.state_dict() if critic_optimiser else {},
    }
    with write_whole(path, force=True) as temporary:
        torch.save(state, temporary)


def _restore(path: Path, stage: Stage, average: nn.Module, optimiser: Any, critic_optimiser: Any) -> int:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        stage.networks.load_state_dict(state["networks"])
        stage.critics.load_state_dict(state["critics"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        if critic_optimiser is not None:
            critic_optimiser.load_state_dict(state["critic_optimiser"])
        return int(state["step"])
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot resume from it ({reason}); was the preset changed?") from None
