"""A training as it runs in each of its processes: data, stage, settings that are kept, progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pgen.cli.errors_to_exit_codes import log, progress, seed_everything, warn
from pgen.data.dataset import PersonDataset
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write
from pgen.training.build import Materials
from pgen.training.config import find_recipe
from pgen.training.distributed import ProcessGroup
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.step import check_precision
from pgen.version import version

if TYPE_CHECKING:
    from pgen.cli.train import Options


def train_in(processes: ProcessGroup, options: Options) -> Path | None:
    """Train in one of ``processes``; in the first one, returns what was written: finished weights, or a checkpoint.

    Raises `InputError` if the run folder, the data set or what came before cannot be used.
    """
    seed_everything(options.seed)
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it, as convolutions have it by default
    config = options.config()
    folder = options.out or Path("runs") / options.stage
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: is a file; name a folder for the run")
    check_precision(str(options.precision.value), processes.device)
    info = {
        "pgen": version(),
        "preset": options.preset,
        "recipe": options.recipe or find_recipe(options.preset),
        "seed": options.seed,
        "data": options.data.name,  # weights are passed on: no folders of this machine
        "config": asdict(config),
    }
    run = RunConfig(folder, info, options.seed, str(options.precision.value), options.max_steps, options.resume, warn)
    tell = log if processes.first else _tell_nobody
    if processes.first:
        run.check_folder()
    store = Store(options.data)
    tell(f"reading {options.data} and preparing the {options.stage} training")
    sharing = processes.local_world
    train_views, held_out = (
        PersonDataset(store, "train", sharing=sharing),
        PersonDataset(store, "test", sharing=sharing),
    )
    stage = options.build(Materials(config, store, train_views, held_out, options.seed, processes, tell))
    if not processes.first:
        train(stage, run, lambda step, values: None, processes)
        return None
    _keep_settings(folder / "config.json", info | {"data": str(options.data)})
    with progress(f"train {options.stage}", stage.schedule.steps) as advance:
        at = 0

        def report(step: int, values: dict[str, float]) -> None:
            nonlocal at
            advance(step - at, _note(values))
            at = step

        return train(stage, run, report, processes)


def _note(values: dict[str, float]) -> str:
    """The rate and the losses, or the scores, beside the progress bar."""
    rate = f"{values['samples_per_second']:.3g} samples/s  " if "samples_per_second" in values else ""
    shown = (f"{name} {value:.3g}" for name, value in values.items() if name != "samples_per_second")
    return rate + "  ".join(shown)


def _tell_nobody(message: str) -> None:
    pass


def _keep_settings(path: Path, info: dict[str, Any]) -> None:
    """Write the resolved settings to ``path``, and say what differs from those of the run that is resumed."""
    now = json.loads(json.dumps(info))
    if path.exists():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError:
            before = {}
        for name, old, new in _differences(before, now):
            warn(f"resuming with {name} = {new} (it was {old})")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, force=True) as temporary:
        temporary.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def _differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted name, old, new) of every setting of ``now`` that is not as in ``before``."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in now.items():
            yield from _differences(before.get(key), value, f"{name}.{key}" if name else key)
    elif before != now:
        yield name, before, now
