"""``pgen.train``: a training by its name, in one process or several; and its task, built from data and weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pgen.data.dataset import PersonDataset
from pgen.data.holding_out import hold_out_people
from pgen.data.mixture import describe_data, mix, parse_data
from pgen.data.pretrained import load_vgg_features
from pgen.data.store import Store
from pgen.data.weights import BUNDLED, BUNDLED_PARSER, check_frame_fits, check_frame_size, find_weights, load_weights
from pgen.errors import InputError
from pgen.models.semantic import upscale_semantic
from pgen.pseudo_labels.matches import load_training_matches
from pgen.runtime.seed import seed_everything
from pgen.training.config import Preset, find_recipe, load_preset
from pgen.training.distributed import ProcessGroup, check_processes, run_in_processes
from pgen.training.held_out import find_pairs
from pgen.training.loop import train as run_loop
from pgen.training.resuming import (
    describe_stores,
    identify_weights,
    is_same_run,
    read_run,
    restore_config,
    restore_data,
    restore_option,
    restore_threads,
    restore_weights,
    warn_of_other_data,
)
from pgen.training.run import Monitor, RunConfig, check_batch, check_precision
from pgen.training.tasks.appearance import AppearanceTask, needs_parser, needs_semantic
from pgen.training.tasks.appearance_objective import FrozenNetworks
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.pose import PoseTask, freeze
from pgen.training.tasks.semantic import SemanticTask
from pgen.version import version

AnyPath = str | os.PathLike[str]
Files = Mapping[str, AnyPath | None]  #: weights that a training starts from or looks through, by parameters of `train`
Shares = Mapping[Path, float]  #: data sets, and each one's share of the samples

#: The trainings in their order, and what their commands and run folders are called.
TASKS = {"pose": "pose", "semantic": "hs", "appearance": "joint", "parser": "parser"}

#: What is trained on, and how, if nothing is said.
DEFAULT_DATA, DEFAULT_PRESET = "datasets/synthetic.h5", "synthetic-128"
#: The files that trainings look through or start from, if nothing is said.
DEFAULT_WEIGHTS: Files = {
    "semantic": "runs/hs/weights.safetensors",
    "pose": "runs/pose/weights.safetensors",
    "vgg": None,
    "start": None,
}

_NAMES = {"semantic": "H_S", "appearance": "H_A", "pose": "a pose detector", "parser": "a parser"}


def train(
    task: str,
    data: AnyPath | Sequence[AnyPath] | None = None,
    out: AnyPath | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    settings: Iterable[str] = (),
    variant: str | None = None,
    start: AnyPath | None = None,
    semantic: AnyPath | None = None,
    pose: AnyPath | None = None,
    vgg: AnyPath | None = None,
    seed: int | None = None,
    resume: bool = False,
    gpus: Sequence[int] = (),
    processes: int = 0,
    precision: str | None = None,
    validation: bool | None = None,
    workers: int | None = None,
    max_steps: int | None = None,
    on_log: Callable[[int, dict[str, float]], None] | None = None,
    monitor: Monitor | None = None,
) -> Path:
    """Train the pose detector, H_S, H_A or the parser.

    Args:
        task: "pose"; "semantic", H_S; "appearance", H_A with H_S frozen or both end to end; "parser". Or as the
            commands call them.
        data: a prepared data set, ``.h5``; or several, each with its share of the samples behind a colon or an equal
            share of what is left: ``["a.h5", "b.h5:0.5"]``.
        out: folder of the run, see `pgen.training.run`; by default one in ``runs``, as the commands call the task.
        preset: sizes and schedule; by default "synthetic-128".
        recipe: losses, "paper" or "pgen"; by default what the preset is meant for.
        settings: changes of the preset, such as ``"semantic.schedule.steps=2000"``.
        variant: of the paper's ablation, for "appearance": "baseline", "ts-gt", "ts-pred" or "e2e".
        start: weights that H_S, H_A or the parser starts from, a file, the folder of a run, or "bundled"; those of H_S
            at half the frame are grown, one-level weights of H_A become the global network of a two-level one, a parser
            may have fewer layers.
        semantic, pose: for "appearance", finished weights of H_S and of the pose detector, files or folders of runs;
            by default those in ``runs/hs`` and ``runs/pose``.
        vgg: for "appearance", VGG-16 weights or "bundled"; by default torchvision's if cached or fetchable.
        seed: makes the run repeatable; by default 0.
        resume: continue the run in ``out``, with its own data, weights, seed, precision, validation and configuration.
            ``settings``, and what else is given, change it, and are told.
        gpus: train on these GPUs, a process each; by default on the first one, if any.
        processes: train in so many processes on the CPU.
        precision: "fp32", "bf16" or "fp16"; by default "fp32".
        validation: score the networks on held-out people at intervals: those for testing, or a tenth of the people of a
            data set that has none. False: all people are trained on but those for testing. By default True.
        workers: processes that read photos ahead in each process.
        max_steps: stop after so many steps, to be resumed later.
        on_log: called as (step, values) with each row of losses and of scores; in several processes, in the first one,
            to which it is pickled. Without, rows are logged by `logging`.
        monitor: gets all messages and rows, in the place of ``on_log``.

    Returns:
        The finished weights, or the checkpoint of a run that is not finished.

    Raises:
        InputError: the run folder, the data set, the settings, or what came before, cannot be used.
        PgenError: a loss is not finite, or a process was killed.
    """
    name = TASKS.get(task, task)
    group = next((group for group, called in TASKS.items() if called == name), None)
    if group is None:
        raise InputError(f"there is no training {task}; choose one of {', '.join(TASKS)}", option="task")
    monitor = monitor or Monitor(on_log)
    # What is wrong is said before processes are started.
    settings = [*settings, *([f"appearance.variant={variant}"] if variant else [])]
    folder = Path(out or Path("runs") / name)
    before = read_run(folder) if resume else {}
    if before.get("task", group) != group:
        other = TASKS.get(before["task"], before["task"])
        raise InputError(f"{folder} is a run of train-{other}, not of train-{name}; name its folder", option="resume")
    config = restore_config(before, settings, monitor.warn, folder) if resume else None
    for option, asked in (("preset", preset), ("recipe", recipe)):
        if config is not None and asked not in (None, before.get(option)):
            own = f"{folder} was begun with the {option} {before.get(option)}, not {asked}"
            raise InputError(f"{own}; leave it out, or choose another folder", option=option)
    preset = preset or before.get("preset") or DEFAULT_PRESET
    recipe = recipe or before.get("recipe") or find_recipe(preset)
    config = config or load_preset(preset, settings, recipe, monitor.warn)
    seed = int(restore_option(before, "seed", seed, 0, monitor.warn))
    precision = restore_option(before, "precision", precision, "fp32", monitor.warn)
    validation = restore_option(before, "validation", validation, True, monitor.warn)
    used = {"pose": (), "appearance": ("pose", "vgg", "start", "variant")}.get(group, ("start",))
    used += ("semantic",) if group == "appearance" and needs_semantic(config.appearance) else ()
    given = {"semantic": semantic, "pose": pose, "vgg": vgg, "start": start, "variant": variant}
    if idle := next((option for option, value in given.items() if value is not None and option not in used), None):
        raise InputError(f"this training uses no {idle}; leave it out", option=idle)
    schedule = getattr(config, group).schedule
    check_processes(gpus, processes)
    check_batch(schedule, len(gpus) or processes or 1)
    shares = parse_data(data or restore_data(before) or DEFAULT_DATA)
    stores = describe_stores(shares)
    warn_of_other_data(before, stores, monitor.warn)
    data_name = describe_data({Path(file.name): share for file, share in shares.items()})  # no folders of this machine
    info = dict(pgen=version(), preset=preset, recipe=recipe, seed=seed, data=data_name, config=asdict(config))  # noqa: C408
    run = RunConfig(folder, info, seed, precision, max_steps, resume, monitor.warn, validation, workers)
    restore_threads(before)
    weights = restore_weights(before, {option: given[option] for option in DEFAULT_WEIGHTS}, monitor.warn)
    run.settings = info | {"data": describe_data(shares), "stores": stores, "weights": weights, "precision": precision}
    run.settings |= {"task": group, "threads": torch.get_num_threads(), "validation": validation}
    if not resume and run.weights.exists() and is_same_run(read_run(folder), run.settings):
        monitor.log(f"{folder} holds this run, finished")
        return run.weights
    files = {**DEFAULT_WEIGHTS, **{option: path for option, path in weights.items() if path is not None}}
    run.settings |= {"weight_files": identify_weights(before, files, used, monitor.warn)}
    return run_in_processes(tuple(gpus), processes, _train_in, name, shares, config, run, files, monitor)


def _train_in(
    processes: ProcessGroup, name: str, data: Shares, config: Preset, run: RunConfig, weights: Files, monitor: Monitor
) -> Path:
    """The training ``name`` in one of ``processes``."""
    seed_everything(run.seed)
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it, as convolutions have it by default
    check_precision(run.precision, processes.device)
    log = monitor.log if processes.is_first else lambda message: None
    if processes.is_first:
        run.check_folder()
    if find_spec("tensorboard") is not None:
        log(f"losses and scores are written for TensorBoard in {run.folder / 'tensorboard'}")
    stores = {Store(file): share for file, share in data.items()}
    log(f"reading {', '.join(map(str, data))} and preparing the {name} training")
    task = TaskBuilder(config, stores, run, processes, log, weights).build(name)
    if run.validation and not len(task.held_out_indices):
        log("no validation: there is nobody to hold out, of whom there are photos enough")
        run.validation = False
    if not processes.is_first:
        return run_loop(task, run, processes=processes)
    with monitor.watch(name, task.schedule.steps) as on_step:
        return run_loop(task, run, on_step, processes)


@dataclass(frozen=True)
class TaskBuilder:
    """Builds tasks from data sets, and from weights that a training starts from or looks through."""

    config: Preset
    stores: Mapping[Store, float]  #: and each one's share of the samples
    run: RunConfig
    processes: ProcessGroup
    log: Callable[[str], None]
    weights: Files

    def build(self, name: str) -> PoseTask | ParserTask | SemanticTask | AppearanceTask:
        """The task of the training ``name``. Raises InputError for weights and data that do not fit it."""
        config, (train, held_out) = self.config, self._open(name)
        data = TaskData(train, held_out, self.run.seed, self.processes.device)
        if name == "pose":
            return PoseTask(config.pose, data)
        pairs = find_pairs(held_out, self.run.seed)
        # Broken weights are found before pseudo labels, which take long.
        frozen = self._load_frozen(train.size) if name == "joint" else None
        task: ParserTask | SemanticTask | AppearanceTask
        if name == "parser":
            task = ParserTask(config.parser, data)
        elif frozen is None:
            task = SemanticTask(config.semantic, data, pairs, self._find_matches(train))
        else:
            task = AppearanceTask(config.appearance, data, pairs, self._find_matches(train), frozen)
        if self.weights["start"] is not None:
            model, is_half = self._load("start", task.role, train.size)
            try:
                task.start_from(upscale_semantic(model) if is_half and task.role == "semantic" else model)
            except RuntimeError:
                raise InputError(f"{self.weights['start']}: its sizes are not the preset's", option="start") from None
        return task

    def _open(self, name: str) -> tuple[PersonDataset, PersonDataset | None]:
        """The people to train on, and those who are held out, if any, at the size that the preset has for them."""
        network = getattr(self.config, next(group for group, called in TASKS.items() if called == name)).network
        frame = (name == "parser" and self.config.parser.frame) or self.config.frame
        size = (frame[0], frame[1]) if frame else None
        with_masks, in_pairs = name in ("parser", "joint"), name in ("hs", "joint")
        read = partial(PersonDataset, sharing=self.processes.local_world, with_masks=with_masks, size=size)
        trained, held_out = [], []
        for store in self.stores:
            check_frame_size(size or store.size, store.path, "data")
            check_frame_fits(network, size or store.size, store.path, "preset")
            train, test = store.indices("train"), store.indices("test")
            if self.run.validation and not len(test):
                train, test = hold_out_people(store, self.run.seed, in_pairs)
                self.log(f"{store.path}: {len(test)} images are held out, as none are for testing")
            if size not in (None, store.size):
                self.log(f"{store.path}: photos are scaled to {size[0]}x{size[1]}")
            trained.append(read(store, "train", indices=train))
            if self.run.validation and len(test):
                held_out.append(read(store, "test", indices=test))
        validated = mix(held_out, [1.0] * len(held_out)) if held_out else None
        return mix(trained, list(self.stores.values())), validated

    def _load_frozen(self, size: tuple[int, int]) -> FrozenNetworks:
        """What H_A's training looks through, on the device."""
        semantic, device = None, self.processes.device
        if needs_semantic(self.config.appearance):
            semantic, is_half = self._load("semantic", "semantic", size)
            if is_half:
                self.log(f"{self.weights['semantic']}: grown to twice its frame")
                semantic = upscale_semantic(semantic)
            semantic = freeze(semantic).to(device)
        pose, is_half = self._load("pose", "pose", size)
        if is_half:
            self.log(f"{self.weights['pose']}: looks at pictures half as large")
        parser = None
        if needs_parser(self.config.appearance):
            parser = freeze(self._load("parser", "parser", size)[0]).to(device)
        perceptual, origin = load_vgg_features(self.weights["vgg"], fetch=True)
        self.log(f"perceptual features: {origin}")
        return FrozenNetworks(semantic, freeze(pose).to(device), perceptual.to(device), 2 if is_half else 1, parser)

    def _load(self, option: str, role: str, size: tuple[int, int]) -> tuple[Any, bool]:
        """The network in the file that ``option`` names, and whether it was trained at half the frame of the data."""
        what, is_start = _NAMES[role], option == "start"
        bundled = BUNDLED_PARSER if role == "parser" else BUNDLED
        given = self.weights.get(option)
        path, origin = find_weights(given, option, bundled)
        if os.fspath(path) != os.fspath(given or ""):
            self.log(f"{option}: {origin}")
        if not (is_start or path.exists()):
            unfinished = path.with_name("last.safetensors")
            remedy = f"train {what} first"
            if unfinished.exists():
                remedy = f"its training has not finished: resume it, or give {unfinished}"
            raise InputError(f"{path}: there is no such file; {remedy}", option=option)
        weights = load_weights(path, option)
        network = getattr(weights, role)
        if network is None:
            remedy = "choose weights that hold one" if is_start else "train one first"
            raise InputError(f"{path}: holds no {what.removeprefix('a ')}; {remedy}", option=option)
        is_half = (2 * weights.frame[0], 2 * weights.frame[1]) == size
        check_frame_fits(network.config, weights.frame if is_half else size, path, option)
        if not (is_half or is_start or role == "parser") and weights.frame != size and self.processes.is_first:
            frame, data_size = ("x".join(map(str, sides)) for sides in (weights.frame, size))
            self.run.warn(f"{path}: trained at {frame}, the data are {data_size}")
        return network, is_half

    def _find_matches(self, train: PersonDataset) -> Tensor:
        """Pseudo labels (N, K) within each file, which the first process finds and sends to the others."""
        config, found = self.config.semantic, []
        options = config.nearest, config.other_facing, self.run.seed, config.garment_tolerance
        for start, part in train.list_parts():
            find = partial(load_training_matches, part.store, part, *options)
            matches, origin = self.processes.broadcast(find)
            self.log(origin)
            found.append(start + torch.from_numpy(matches))
        count = max(matches.shape[1] for matches in found)
        return torch.cat([matches[:, torch.arange(count) % matches.shape[1]] for matches in found])
