"""One step of a training: losses of all parts of the batch, gradients, guards, and the optimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from pgen.errors import InputError, PgenError
from pgen.training.checkpoint import TrainingState
from pgen.training.config import Schedule
from pgen.training.distributed import ProcessGroup, no_gradient_sync
from pgen.training.loader import LoadedStep, step_seed
from pgen.training.sampling import SampledBatch
from pgen.training.tasks.base import Judged, TrainingTask

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

#: How many samples an error names.
_NAMED = 16


class _GeneratorLosses(nn.Module):
    """All networks of a stage in one forward, as DistributedDataParallel needs it where they run more than once."""

    def __init__(self, stage: TrainingTask) -> None:
        super().__init__()
        self.stage, self.networks = stage, stage.networks

    def forward(self, batch: SampledBatch) -> tuple[dict[str, Tensor], Judged]:
        return self.stage.losses(batch)


class _DiscriminatorLosses(nn.Module):
    def __init__(self, stage: TrainingTask) -> None:
        super().__init__()
        self.stage, self.discriminators = stage, stage.discriminators

    def forward(self, judged: Judged) -> dict[str, Tensor]:
        return self.stage.discriminator_losses(judged)


class Step:
    """A step of the generator and one of the discriminators, on this process's part of the batch."""

    def __init__(
        self, stage: TrainingTask, state: TrainingState, seed: int, precision: str, processes: ProcessGroup
    ) -> None:
        self.stage, self.state, self.seed, self.processes = stage, state, seed, processes
        self.dtype = PRECISIONS[precision]
        self.generator = processes.averaging(_GeneratorLosses(stage))
        has_critics = state.critic_optimiser is not None
        self.critics = processes.averaging(_DiscriminatorLosses(stage)) if has_critics else None
        self.parameters = list(stage.networks.parameters())

    def __call__(self, step: LoadedStep, kept: str) -> dict[str, Tensor]:
        """Take the step, and return this process's losses. ``kept`` tells in an error what is left to go on from.

        Raises PgenError, before any weight is changed, if a loss or gradient is not finite.
        """
        stage, state, schedule = self.stage, self.state, self.stage.schedule
        stage.on_step_start(state.step, state.average)
        seed = step_seed(self.seed, state.step)
        state.optimiser.zero_grad(set_to_none=True)
        if state.critic_optimiser is not None:
            state.critic_optimiser.zero_grad(set_to_none=True)
        losses: dict[str, Tensor] = {}
        for part, draw in enumerate(step.parts):
            torch.manual_seed((seed + ((part * self.processes.world + self.processes.rank) << 32)) % 2**63)
            with ExitStack() as stack:
                if part + 1 < schedule.accumulate:
                    stack.enter_context(no_gradient_sync(self.generator))
                    stack.enter_context(no_gradient_sync(self.critics))
                for name, loss in self._add_gradients(draw, kept).items():
                    losses[name] = losses[name] + loss if name in losses else loss
        state.scaler.unscale_(state.optimiser)
        norm = nn.utils.clip_grad_norm_(self.parameters, schedule.grad_clip or torch.inf)
        if not state.scaler.is_enabled():  # which leaves such steps out, and scales less
            self._require_finite("gradient", losses, norm, step.names, kept)
        factor = rate_factor(schedule, state.step)
        for optimiser, rate in ((state.optimiser, schedule.lr), (state.critic_optimiser, schedule.d_lr)):
            if optimiser is not None:
                for group in optimiser.param_groups:
                    group["lr"] = rate * factor * group.get("share", 1.0)
                state.scaler.step(optimiser)
        state.scaler.update()
        if state.scaler.is_enabled() and state.scaler.get_scale() < 1:
            self._require_finite("gradient", losses, torch.tensor(torch.nan), step.names, kept)
        return losses

    def _add_gradients(self, draw: SampledBatch, kept: str) -> dict[str, Tensor]:
        """Add the gradients of one part of the batch, and return its share of the losses."""
        stage, share = self.stage, 1 / self.stage.schedule.accumulate
        stage.discriminators.requires_grad_(False)
        with self._autocast():
            losses, judged = self.generator(draw)
            total = torch.stack(list(losses.values())).sum()
        self._require_finite("loss", losses, total, draw.names, kept)
        self.state.scaler.scale(total * share).backward()
        critic_losses: dict[str, Tensor] = {}
        if self.critics is not None:
            # Both verdicts are on the batch as the generator made it, before either steps.
            stage.discriminators.requires_grad_(True)
            with self._autocast():
                critic_losses = self.critics(judged)
                critic_total = torch.stack(list(critic_losses.values())).sum()
            self._require_finite("discriminators' loss", critic_losses, critic_total, draw.names, kept)
            self.state.scaler.scale(critic_total * share).backward()
        return {name: value.detach() * share for name, value in (losses | critic_losses).items()}

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.processes.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def _require_finite(
        self, what: str, losses: Mapping[str, Tensor], value: Tensor, names: Sequence[str], kept: str
    ) -> None:
        if torch.isfinite(value):
            return
        told = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
        raise PgenError(
            f"step {self.state.step}: the {what} is not finite ({told}) for {_listed(names)}; {kept};"
            " a lower rate may help"
        )


def rate_factor(schedule: Schedule, step: int) -> float:
    """Learning-rate factor at ``step``: linear warm-up, constant, linear decay to 0."""
    rising = min(1.0, (step + 1) / max(schedule.warmup, 1))
    decay_steps = max(schedule.lr_decay * schedule.steps, 1)
    return rising * min(1.0, (schedule.steps - step) / decay_steps)


def check_precision(precision: str, device: torch.device) -> None:
    """Raises InputError where the device cannot compute so."""
    if precision == "fp16" and device.type != "cuda":
        raise InputError("--precision fp16 needs a GPU; on the CPU take --precision bf16")
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError("--precision bf16: this GPU has no such arithmetic; take --precision fp16")


def check_batch(schedule: Schedule, world: int) -> None:
    """Raises InputError if the batch cannot be shared out."""
    if schedule.batch % (schedule.accumulate * world):
        raise InputError(
            f"schedule.batch={schedule.batch} cannot be shared by {world} processes in {schedule.accumulate} parts:"
            f" make it a multiple of {schedule.accumulate * world} with --set STAGE.schedule.batch=…"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
