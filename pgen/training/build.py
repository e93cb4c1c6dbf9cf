"""``pgen.train``: a training by its name, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from pgen.data.store import Store
from pgen.errors import InputError
from pgen.runtime.seed import seed_everything
from pgen.training.config import Preset, find_recipe, load_preset
from pgen.training.distributed import ProcessGroup, run_in_processes
from pgen.training.loop import train as run_loop
from pgen.training.monitor import Monitor
from pgen.training.run import RunConfig, check_batch, check_precision
from pgen.training.task_builder import AnyPath, TaskBuilder
from pgen.version import version

#: The trainings in their order, and what their commands and run folders are called.
TASKS = {"pose": "pose", "semantic": "hs", "appearance": "joint", "parser": "parser"}


def train(
    task: str,
    data: AnyPath,
    out: AnyPath | None = None,
    *,
    preset: str = "synthetic-128",
    recipe: str | None = None,
    settings: Iterable[str] = (),
    variant: str | None = None,
    start: AnyPath | None = None,
    semantic: AnyPath = "runs/hs/weights.safetensors",
    pose: AnyPath = "runs/pose/weights.safetensors",
    vgg: AnyPath | None = None,
    seed: int = 0,
    resume: bool = False,
    gpus: Sequence[int] = (),
    processes: int = 0,
    precision: str = "fp32",
    workers: int | None = None,
    max_steps: int | None = None,
    on_log: Callable[[int, dict[str, float]], None] | None = None,
    monitor: Monitor | None = None,
) -> Path:
    """Train the pose detector, H_S, H_A or the parser.

    Args:
        task: "pose"; "semantic", H_S; "appearance", H_A with H_S frozen or both end to end; "parser". Or as the
            commands call them.
        data: a prepared data set, ``.h5``.
        out: folder of the run, see `pgen.training.run`; by default one in ``runs``, as the commands call the task.
        preset: sizes and schedule.
        recipe: losses, "paper" or "pgen"; by default what the preset is meant for.
        settings: changes of the preset, such as ``"semantic.schedule.steps=2000"``.
        variant: of the paper's ablation, for "appearance": "baseline", "ts-gt", "ts-pred" or "e2e".
        start: weights that H_S or H_A starts from; those of H_S at half the frame are grown, one-level weights of H_A
            become the global network of a two-level one.
        semantic, pose: for "appearance", finished weights of H_S and of the pose detector.
        vgg: for "appearance", VGG-16 weights or "bundled"; by default torchvision's if cached or fetchable.
        seed: makes the run repeatable.
        resume: continue the run in ``out``.
        gpus: train on these GPUs, a process each; by default on the first one, if any.
        processes: train in so many processes on the CPU.
        precision: "fp32", "bf16" or "fp16".
        workers: processes that read photos ahead in each process.
        max_steps: stop after so many steps, to be resumed later.
        on_log: called as (step, values) with each row of losses and of scores; in several processes, in the first one,
            to which it is pickled. Without, rows are logged by `logging`.
        monitor: hears of everything, in the place of ``on_log``.

    Returns:
        The finished weights, or the checkpoint of a run that is not finished.

    Raises:
        InputError: the run folder, the data set, the settings, or what came before, cannot be used.
        PgenError: a loss is not finite, or a process was killed.
    """
    name = TASKS.get(task, task)
    group = next((group for group, called in TASKS.items() if called == name), None)
    if group is None:
        raise InputError(f"there is no training {task}; choose of {', '.join(TASKS)}", option="task")
    monitor = monitor or Monitor(on_log)
    # What is wrong is said before processes are started.
    settings = [*settings, *([f"appearance.variant={variant}"] if variant else [])]
    config = load_preset(preset, settings, recipe, monitor.warn)
    schedule = getattr(config, group).schedule
    check_batch(schedule, len(gpus) or processes or 1)
    data_name = Path(data).name  # weights are passed on: no folders of this machine
    recipe = recipe or find_recipe(preset)
    info = dict(pgen=version(), preset=preset, recipe=recipe, seed=seed, data=data_name, config=asdict(config))  # noqa: C408
    folder = Path(out or Path("runs") / name)
    run = RunConfig(folder, info, seed, precision, max_steps, resume, monitor.warn, workers)
    before = (semantic, pose, vgg, start)
    return run_in_processes(tuple(gpus), processes, _train_in, name, data, config, run, before, monitor)


def _train_in(
    processes: ProcessGroup, name: str, data: AnyPath, config: Preset, run: RunConfig, before: tuple, monitor: Monitor
) -> Path:
    """The training ``name``, after the weights ``before``, in one of ``processes``."""
    seed_everything(run.seed)
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it, as convolutions have it by default
    check_precision(run.precision, processes.device)
    log = monitor.log if processes.is_first else lambda message: None
    if processes.is_first:
        run.check_folder()
    store = Store(data)
    log(f"reading {data} and preparing the {name} training")
    task = TaskBuilder(config, store, run, processes, log, *before).build(name)
    if not processes.is_first:
        return run_loop(task, run, processes=processes)
    run.save_settings(run.info | {"data": str(data)})
    with monitor.watch(name, task.schedule.steps) as on_step:
        return run_loop(task, run, on_step, processes)
