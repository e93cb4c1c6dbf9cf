"""The training loop of all tasks, read from top to bottom: set up, step, average, log, validate, save."""

from __future__ import annotations

import copy
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from pgen.data.weights import describe, save_weights
from pgen.errors import PgenError
from pgen.runtime.atomic_write import lock_folder
from pgen.training.checkpoint import TrainingState
from pgen.training.config import Schedule
from pgen.training.distributed import ProcessGroup, no_gradient_sync
from pgen.training.loader import LoadedStep, load_steps, step_seed
from pgen.training.resuming import write_run
from pgen.training.run import PRECISIONS, OnStep, RunConfig, RunLog, check_batch, check_precision
from pgen.training.sampling import SampledBatch
from pgen.training.tasks.base import Judged, TrainingTask

#: How many samples an error names.
_MOST_NAMES = 16
#: Devices on which Adam goes through all numbers of a parameter once instead of ten times.
_FUSED = ("cpu", "cuda")


def train(
    task: TrainingTask,
    run: RunConfig,
    on_step: OnStep = lambda step, values: None,
    processes: ProcessGroup | None = None,
) -> Path:
    """Train ``task`` to its last step and return the path of the finished weights (averaged, float32).

    With ``run.resume`` it continues from the last checkpoint: batches and dropout are functions of (seed, step), so the
    course is that of an uninterrupted run, bit by bit on one CPU in fp32; on GPUs some gradients are sums in no fixed
    order, and in another number of processes dropout and rounding differ. Stopped before its last step, by
    ``run.max_steps``, it returns the checkpoint's path. Ctrl-C is heeded at the end of a step, with a checkpoint.

    Raises:
        InputError: the folder holds another run, or a checkpoint that does not fit; the batch cannot be shared out
            among the processes, or the device cannot compute in that precision; a photo cannot be read.
        PgenError: a loss or gradient is not finite; the weights are as before that step.
    """
    # Set up.
    processes = processes or ProcessGroup()
    schedule = task.schedule
    check_precision(run.precision, processes.device)
    check_batch(schedule, processes.world)
    if processes.is_first:
        run.check_folder()
        run.folder.mkdir(parents=True, exist_ok=True)
    if processes.broadcast(lambda: run.weights.exists() and not run.checkpoints.exist()):
        return run.weights
    processes.sync_batch_norms(task.networks)
    state = create_state(task, run, processes)
    step = Step(task, state, run, processes)
    last = min(schedule.steps, run.max_steps or schedule.steps)

    sums: dict[str, Tensor] = {}
    saved_at, started, logged = time.monotonic(), time.monotonic(), state.step
    with ExitStack() as stack:
        if processes.is_first:
            stack.enter_context(lock_folder(run.folder))
            if run.settings is not None:
                write_run(run.folder, run.settings)  # not before it is sure that the run goes on
        is_interrupted = stack.enter_context(hold_interrupts(insist=processes.world > 1))
        log = stack.enter_context(closing(RunLog(run, state.step, on_step))) if processes.is_first else None
        for batch in load_steps(task, run.seed, range(state.step, last), processes, run.workers):
            losses = step(batch)
            state.update_ema(min(schedule.ema, 1 - 1 / (state.step + 1)))
            state.step += 1
            stop = processes.any(is_interrupted())
            is_last = state.step == last

            # Log.
            sums = {name: sums.get(name, 0) + loss.float() for name, loss in losses.items()}
            if log is not None:
                on_step(state.step, {})
            if state.step % schedule.log_every == 0 or is_last or stop:
                steps = state.step - logged
                means = processes.mean(torch.stack(list(sums.values())).cpu() / steps).tolist()
                rate = steps * schedule.batch / (time.monotonic() - started)
                if log is not None:
                    log.write(state.step, {**dict(zip(sums, means, strict=True)), "samples_per_second": rate})
                sums, started, logged = {}, time.monotonic(), state.step

            # Validate.
            if run.validation and (state.step % schedule.validate_every == 0 or state.step == schedule.steps):
                began = time.monotonic()
                if log is not None:
                    _validate(task, run, state, log)
                processes.any(False)  # the others wait
                started += time.monotonic() - began

            # Save.
            if log is not None and (is_last or stop or time.monotonic() - saved_at >= schedule.checkpoint_seconds):
                run.checkpoints.save(state)
                _save_weights(task, run, state, "last.safetensors")
                saved_at = time.monotonic()
            if stop:
                processes.any(False)
                raise KeyboardInterrupt

        # Finish.
        if state.step < schedule.steps:
            return run.checkpoints.newest
        if log is not None and not (run.weights.exists() and describe(run.weights)["info"].get("step") == state.step):
            _save_weights(task, run, state, run.weights.name)
    processes.any(False)  # the weights are there when any process returns
    return run.weights


def create_state(task: TrainingTask, run: RunConfig, processes: ProcessGroup) -> TrainingState:
    """The state at the beginning, or as the first process finds it in the folder."""
    schedule, betas = task.schedule, (task.schedule.beta1, task.schedule.beta2)
    task.networks.train()
    groups = [{"params": parameters} for parameters, _ in list_parameter_groups(task)]
    discriminators = list(task.discriminators.parameters())
    is_fused = processes.device.type in _FUSED
    state = TrainingState(
        task.networks,
        task.discriminators,
        copy.deepcopy(task.networks).eval().requires_grad_(False),
        torch.optim.Adam(groups, schedule.lr, betas, fused=is_fused),
        torch.optim.Adam(discriminators, schedule.d_lr, betas, fused=is_fused) if discriminators else None,
        torch.amp.GradScaler(processes.device.type, enabled=run.precision == "fp16"),
    )
    found = processes.broadcast(lambda: run.checkpoints.load() if run.checkpoints.exist() else None)
    if found is not None:
        contents, path, warning = found
        state.restore(contents, path)
        if warning and processes.is_first:
            run.warn(warning)
    task.on_step_start(max(state.step - 1, 0), state.ema)  # as its last step left it, if there is none to take
    return state


def list_parameter_groups(task: TrainingTask) -> list[tuple[list[nn.Parameter], float]]:
    """Parameters, and their factors: of each network, and apart of its parts with a learning rate of their own."""
    groups = []
    for name, network in task.networks.items():
        parts = {part: factor for part, factor in task.lr_factors.items() if part.startswith(f"{name}.")}
        apart = [(list(network.get_submodule(p.removeprefix(f"{name}.")).parameters()), f) for p, f in parts.items()]
        ids = {id(parameter) for parameters, _ in apart for parameter in parameters}
        rest = [parameter for parameter in network.parameters() if id(parameter) not in ids]
        groups += [(rest, task.lr_factors.get(name, 1.0)), *apart]
    return groups


class Step:
    """A step of the networks and one of the discriminators, on this process's part of the batch."""

    def __init__(self, task: TrainingTask, state: TrainingState, run: RunConfig, processes: ProcessGroup) -> None:
        self.task, self.state, self.run, self.processes = task, state, run, processes
        self.trained: list[bool] = []
        judge = _Losses(task.discriminators, task.discriminator_losses)
        self.discriminator_losses = processes.average_gradients(judge) if state.d_optimizer is not None else None
        self.parameters = list(task.networks.parameters())
        self.lr_factors = [factor for _, factor in list_parameter_groups(task)]

    def __call__(self, batch: LoadedStep) -> dict[str, Tensor]:
        """Take the step, and return this process's losses.

        Raises PgenError, before any weight is changed, if a loss or gradient is not finite.
        """
        task, state, schedule = self.task, self.state, self.task.schedule
        task.on_step_start(state.step, state.ema)
        self._follow_trained()
        optimizers = [optimizer for optimizer in (state.optimizer, state.d_optimizer) if optimizer is not None]
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        seed, world = step_seed(self.run.seed, state.step), self.processes.world
        losses: dict[str, Tensor] = {}
        for k, part in enumerate(batch.parts):
            torch.manual_seed((seed + ((k * world + self.processes.rank) << 32)) % 2**63)
            with ExitStack() as stack:
                if k + 1 < len(batch.parts):
                    stack.enter_context(no_gradient_sync(self.losses))
                    stack.enter_context(no_gradient_sync(self.discriminator_losses))
                for name, loss in self._add_gradients(part).items():
                    losses[name] = losses[name] + loss if name in losses else loss
        state.scaler.unscale_(state.optimizer)
        norm = nn.utils.clip_grad_norm_(self.parameters, schedule.grad_clip or torch.inf)
        if not state.scaler.is_enabled():  # which leaves such steps out, and scales less
            self._require_finite("gradient", losses, norm, batch.names)
        factor = learning_rate_factor(schedule, state.step)
        for group, own in zip(state.optimizer.param_groups, self.lr_factors, strict=True):
            group["lr"] = schedule.lr * factor * own
        if state.d_optimizer is not None:
            state.d_optimizer.param_groups[0]["lr"] = schedule.d_lr * factor
        for optimizer in optimizers:
            state.scaler.step(optimizer)
        state.scaler.update()
        if state.scaler.is_enabled() and state.scaler.get_scale() < 1:
            self._require_finite("gradient", losses, torch.tensor(torch.nan), batch.names)
        return losses

    def _follow_trained(self) -> None:
        """Average the gradients of the parameters that are trained now: a level that fades in changes which."""
        trained = [parameter.requires_grad for parameter in self.parameters]
        if trained != self.trained:
            self.losses = self.processes.average_gradients(_Losses(self.task.networks, self.task.losses))
            self.trained = trained

    def _add_gradients(self, part: SampledBatch) -> dict[str, Tensor]:
        """Add the gradients of one part of the batch, and return its share of the losses."""
        task, share = self.task, 1 / self.task.schedule.accumulate
        task.discriminators.requires_grad_(False)
        with self._autocast():
            losses, judged = self.losses(part)
            total = torch.stack(list(losses.values())).sum()
        self._require_finite("loss", losses, total, part.names)
        self.state.scaler.scale(total * share).backward()
        of_discriminators: dict[str, Tensor] = {}
        if self.discriminator_losses is not None:
            # Both look at the batch as the networks made it, before either steps.
            task.discriminators.requires_grad_(True)
            with self._autocast():
                of_discriminators = self.discriminator_losses(judged)
                total = torch.stack(list(of_discriminators.values())).sum()
            self._require_finite("discriminators' loss", of_discriminators, total, part.names)
            self.state.scaler.scale(total * share).backward()
        return {name: value.detach() * share for name, value in (losses | of_discriminators).items()}

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = PRECISIONS[self.run.precision]
        return torch.autocast(self.processes.device.type, dtype, enabled=dtype != torch.float32)

    def _require_finite(self, what: str, losses: Mapping[str, Tensor], value: Tensor, names: Sequence[str]) -> None:
        if torch.isfinite(value):
            return
        terms = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
        samples = ", ".join(names[:_MOST_NAMES])
        if len(names) > _MOST_NAMES:
            samples += f" and {len(names) - _MOST_NAMES} more"
        newest = self.run.checkpoints.newest
        left = f"{newest} holds the last good state" if newest.exists() else "no checkpoint was written yet"
        where = f"step {self.state.step}: the {what} is not finite ({terms}) for {samples}"
        raise PgenError(f"{where}; {left}; a lower learning rate may help")


class _Losses(nn.Module):
    """Losses of networks in one forward, as DistributedDataParallel needs it where they run more than once."""

    def __init__(self, networks: nn.ModuleDict, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.networks, self.compute = networks, compute

    def forward(self, given: SampledBatch | Judged) -> Any:
        return self.compute(given)


def learning_rate_factor(schedule: Schedule, step: int) -> float:
    """Learning rate at ``step``, as a share of the schedule's: linear warm-up, constant, linear decay to 0."""
    rising = min(1.0, (step + 1) / max(schedule.warmup, 1))
    decay_steps = max(schedule.lr_decay * schedule.steps, 1)
    return rising * min(1.0, (schedule.steps - step) / decay_steps)


def _validate(task: TrainingTask, run: RunConfig, state: TrainingState, log: RunLog) -> None:
    """Score the averaged networks, save them if they are the best, and draw the pictures."""
    state.scores = task.validate(state.ema)
    log.write(state.step, state.scores)
    score = state.scores[task.score]
    if math.isfinite(score) and (state.best is None or score > state.best):
        state.best = score
        _save_weights(task, run, state, "best.safetensors")
    log.save_curves(state.step)
    picture = task.draw_samples(state.ema)
    if picture is not None:
        log.save_picture(state.step, "samples.png", picture)


def _save_weights(task: TrainingTask, run: RunConfig, state: TrainingState, name: str) -> None:
    info = {**run.info, "step": state.step, "scores": state.scores}
    save_weights(run.folder / name, task.frame, {**state.ema, **task.frozen_networks}, info, overwrite=True)


@contextmanager
def hold_interrupts(insist: bool) -> Iterator[Callable[[], bool]]:
    """Hold back Ctrl-C until the step is whole; a second one ends at once, but for ``insist``. Yields whether one came.

    Processes get it twice, from the terminal and from who started them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came = False
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        if not insist:
            signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)
