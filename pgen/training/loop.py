"""The training loop of all stages: step, average, log, validate, checkpoint, and the weights at the end."""

from __future__ import annotations

import copy
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

from pgen.training.checkpoint import TrainingState
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.run import RunConfig, RunWriter
from pgen.training.step import Step, check_batch, check_precision
from pgen.training.tasks.base import TrainingTask

#: Called as (step, values) after every step; there are values where a row was logged.
Report = Callable[[int, dict[str, float]], None]


def train(stage: TrainingTask, run: RunConfig, report: Report, processes: ProcessGroup | None = None) -> Path:
    """Train ``stage`` to its last step and return the path of the finished weights (averaged, float32).

    With ``run.resume`` it continues from the last checkpoint: batches and dropout are functions of (seed, step), so the
    course is that of an uninterrupted run, bit by bit on one CPU in fp32; on GPUs some gradients are sums in no fixed
    order, and in another number of processes dropout and rounding differ. Stopped before its last step, by
    ``run.max_steps``, it returns the checkpoint's path. Ctrl-C is heeded at the end of a step, with a checkpoint.

    Raises:
        InputError: the folder holds another run, or a checkpoint that does not fit; the batch cannot be shared out
            among the processes, or the device cannot compute in that precision.
        PgenError: a loss or gradient is not finite; nothing of that step is kept.
    """
    processes = processes or ProcessGroup()
    schedule = stage.schedule
    check_precision(run.precision, processes.device)
    check_batch(schedule, processes.world)
    if processes.first:
        run.check_folder()
        run.folder.mkdir(parents=True, exist_ok=True)
    if processes.shared(lambda: run.weights.exists() and not run.checkpoints.exist()):
        return run.weights
    processes.prepare(stage.networks)
    state = first_state(stage, run, processes)
    last = min(schedule.steps, run.max_steps or schedule.steps)
    with ExitStack() as stack:
        record = stack.enter_context(RunWriter(stage, run, state, report)) if processes.first else None
        _steps(stage, run, state, last, record, processes)
        if state.step < schedule.steps:
            return run.checkpoints.newest
        if record is not None:
            record.finish()
    processes.any(False)  # the weights are there when any process returns
    return run.weights


def first_state(stage: TrainingTask, run: RunConfig, processes: ProcessGroup) -> TrainingState:
    """The state at the beginning, or as the first process finds it in the folder."""
    schedule = stage.schedule
    stage.networks.train()
    groups = [
        {"params": list(network.parameters()), "share": stage.lr_factors.get(name, 1.0)}
        for name, network in stage.networks.items()
    ]
    critic_parameters = list(stage.discriminators.parameters())
    betas = (schedule.beta1, schedule.beta2)
    state = TrainingState(
        stage.networks,
        stage.discriminators,
        copy.deepcopy(stage.networks).eval().requires_grad_(False),
        torch.optim.Adam(groups, schedule.lr, betas),
        torch.optim.Adam(critic_parameters, schedule.d_lr, betas) if critic_parameters else None,
        torch.amp.GradScaler(processes.device.type, enabled=run.precision == "fp16"),
    )
    found = processes.shared(lambda: run.checkpoints.load() if run.checkpoints.exist() else None)
    if found is not None:
        contents, path, warning = found
        state.take(contents, path)
        if warning and processes.first:
            run.warn(warning)
    stage.on_step_start(max(state.step - 1, 0), state.average)  # as its last step left it, if there is none to take
    return state


def _steps(
    stage: TrainingTask,
    run: RunConfig,
    state: TrainingState,
    last: int,
    record: RunWriter | None,
    processes: ProcessGroup,
) -> None:
    """All steps that are left, up to ``last``; ``record`` in the first process."""
    schedule = stage.schedule
    step = Step(stage, state, run.seed, run.precision, processes)
    sums: dict[str, Tensor] = {}
    saved_at, started, logged = time.monotonic(), time.monotonic(), state.step
    with _stop_after_step(insist=processes.world > 1) as asked_to_stop:
        for loaded in load_steps(stage, run.seed, range(state.step, last), processes, run.workers):
            losses = step(loaded, run.kept())
            state.follow(min(schedule.ema, 1 - 1 / (state.step + 1)))
            state.step += 1
            sums = {name: sums.get(name, 0) + loss.float() for name, loss in losses.items()}
            stop = processes.any(asked_to_stop())
            if record is not None:
                record.report(state.step, {})
            if state.step % schedule.log_every == 0 or state.step == last or stop:
                steps = state.step - logged
                means = processes.mean(torch.stack(list(sums.values())).cpu() / steps).tolist()
                rate = steps * schedule.batch / (time.monotonic() - started)
                if record is not None:
                    record.write({**dict(zip(sums, means, strict=True)), "samples_per_second": rate})
                sums, started, logged = {}, time.monotonic(), state.step
            if state.step % schedule.validate_every == 0 or state.step == schedule.steps:
                began = time.monotonic()
                if record is not None:
                    record.validate()
                processes.any(False)  # the others wait
                started += time.monotonic() - began
            due = state.step == last or stop or time.monotonic() - saved_at >= schedule.checkpoint_seconds
            if record is not None and due:
                record.checkpoint()
                saved_at = time.monotonic()
            if stop:
                processes.any(False)
                raise KeyboardInterrupt


@contextmanager
def _stop_after_step(insist: bool) -> Iterator[Callable[[], bool]]:
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
