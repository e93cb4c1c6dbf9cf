"""The folder of a training, the log of its losses and scores, and who is told of them.

===========================  ====================================================================================
config.json                  the resolved settings
checkpoint.pt                the newest state to resume from; checkpoint-before.pt the one before, if that is damaged
last.safetensors             the averaged weights of the newest checkpoint
best.safetensors             the averaged weights that had the best main score of all validations
weights.safetensors          at the end: the averaged weights of the last step, what the other commands look for
metrics.jsonl                a JSON object a row: losses, as means since the row before, and scores, by step
tensorboard/                 the same, if TensorBoard is installed
curves.png                   the same drawn at each validation, if matplotlib is installed
samples.png                  what the networks make of a few held-out people at each validation
===========================  ====================================================================================

The finished weights are the last and not the best: the learning rate has fallen to 0 by then, and scores such as SSIM,
by which the best are chosen, favour blur. The weights as they are without averaging are in the checkpoint.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write, remove_leftovers
from pgen.runtime.precision import choose_precision
from pgen.training.checkpoint import Checkpoints
from pgen.training.config import Schedule
from pgen.training.curves import draw_curves
from pgen.training.resuming import CONFIG

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# What a training writes besides weights and checkpoints.
_WRITTEN = (CONFIG, "metrics.jsonl", "samples.png", "curves.png")

#: Losses are logged once in so many seconds at most; scores always.
_LOG_SECONDS = 30.0

_logger = logging.getLogger("pgen.training")

#: Called as (step, values) after every step without values, and again where a row was logged with those.
OnStep = Callable[[int, dict[str, float]], None]


@dataclass
class RunConfig:
    """Where a training writes, and when to stop."""

    folder: Path
    info: dict[str, Any]  #: the resolved configuration, saved with the weights
    seed: int = 0
    precision: str = "fp32"  #: "fp32", or "bf16" or "fp16" by autocast
    max_steps: int | None = None  #: stop here, to be resumed later
    resume: bool = False
    warn: Callable[[str], None] = lambda message: None
    validation: bool = True  #: whether the networks are scored on held-out people, at intervals
    workers: int | None = None  #: processes that read photos ahead, see `pgen.training.loader.load_steps`
    settings: Mapping[str, Any] | None = None  #: what config.json will say, once the run goes on

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.folder)

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def check_folder(self) -> None:
        """Refuse to write over another run. Raises InputError."""
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: is a file; name a folder for the run", option="out")
        if self.resume:
            return
        if self.weights.exists():
            raise InputError(f"{self.folder} holds a finished run: choose another folder, or remove it", option="out")
        if self.checkpoints.exist():
            raise InputError(
                f"{self.folder} holds an unfinished run: resume it, or choose another folder", option="resume"
            )
        if not self._is_begun():
            for name in _WRITTEN:
                if (self.folder / name).exists():
                    raise InputError(
                        f"{self.folder} holds a {name} that no training wrote: choose another folder", option="out"
                    )

    def _is_begun(self) -> bool:
        """Whether the folder's config.json is that of a training, which may have been stopped before it saved."""
        try:
            found = json.loads((self.folder / CONFIG).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(found, dict) and "pgen" in found


def check_precision(precision: str, device: torch.device) -> None:
    """Raises InputError where the device cannot compute so."""
    if precision not in PRECISIONS:
        raise InputError(f"no such precision: {precision}; choose one of {', '.join(PRECISIONS)}", option="precision")
    choose_precision(precision, device)


def check_batch(schedule: Schedule, world: int) -> None:
    """Raises InputError if the batch cannot be shared out."""
    if schedule.batch % (schedule.accumulate * world):
        raise InputError(
            f"schedule.batch={schedule.batch} cannot be shared by {world} processes in {schedule.accumulate} parts:"
            f" make it a multiple of {schedule.accumulate * world}",
            option="settings",
        )


class RunLog:
    """Losses, scores and pictures: ``metrics.jsonl``, TensorBoard and whoever listens; in the first process only."""

    def __init__(self, run: RunConfig, step: int, on_step: OnStep) -> None:
        """Rows of steps after ``step``, which are yet to come in a run that was interrupted, are dropped."""
        self.folder, self.warn, self.on_step = run.folder, run.warn, on_step
        path = run.folder / "metrics.jsonl"
        self.rows = [row for row in read_metrics(path) if row["step"] <= step]
        weights = (f"{name}.safetensors" for name in ("last", "best", "weights"))
        for name in (*_WRITTEN, "checkpoint.pt", *weights):
            remove_leftovers(run.folder / name)
        with atomic_write(path, overwrite=True) as aside:
            aside.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        self.file = path.open("a", encoding="utf-8", buffering=1)  # line by line
        self.board = _open_tensorboard(run.folder / "tensorboard", step)

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row."""
        row = {"step": step, **{name: round(value, 6) for name, value in values.items()}}
        self.rows.append(row)
        self.file.write(json.dumps(row) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)
        self.on_step(step, dict(values))

    def save_curves(self, step: int) -> None:
        """Draw all rows, if matplotlib is installed."""
        try:
            self.save_picture(step, "curves.png", draw_curves(self.rows))
        except ImportError:
            self.warn("no curves.png, as matplotlib is not installed; it comes with pgen[plots]")
            self.warn = lambda message: None  # once is enough

    def save_picture(self, step: int, name: str, picture: NDArray[np.uint8]) -> None:
        """Write the picture (H, W, 3) as the file ``name``, in place of the one before."""
        with atomic_write(self.folder / name, overwrite=True) as aside:
            Image.fromarray(picture).save(aside, optimize=True)
        if self.board is not None:
            self.board.add_image(name.removesuffix(".png"), picture, step, dataformats="HWC")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The rows of a ``metrics.jsonl``; none if there is no file, and without a last one that was cut short."""
    rows = []
    if path.exists():
        for line in path.read_text("utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and isinstance(row.get("step"), int):
                rows.append(row)
    return rows


def _open_tensorboard(folder: Path, step: int) -> Any:
    """Where TensorBoard looks, or None if it is not installed or does not fit what else is."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except (ImportError, AttributeError, TypeError):  # the last two of a protobuf that is too new or too old
        return None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)


class Monitor:
    """Hears of a training, in its first process. This one logs to the logger "pgen.training"."""

    def __init__(self, on_log: Callable[[int, dict[str, float]], None] | None = None) -> None:
        self.on_log = on_log

    def log(self, message: str) -> None:
        _logger.info(message)

    def warn(self, message: str) -> None:
        _logger.warning(message)

    @contextmanager
    def watch(self, name: str, steps: int) -> Iterator[OnStep]:
        """A call for each step of the training ``name`` of so many ``steps``, while the block runs.

        It hands rows to ``on_log``, and else logs a line of them at intervals.
        """
        logged, told = -_LOG_SECONDS, time.monotonic()  # the last row of losses, and the last line of any kind

        def on_step(step: int, values: dict[str, float]) -> None:
            nonlocal logged, told
            is_losses, now = "samples_per_second" in values, time.monotonic()
            if values and self.on_log is not None:
                self.on_log(step, values)
            elif values and (not is_losses or now - logged >= _LOG_SECONDS or step == steps):
                self.log(f"{name}, step {step} of {steps}: {format_values(values)}")
                logged, told = now if is_losses else logged, now
            elif not values and self.on_log is None and now - told >= _LOG_SECONDS:  # rows are far apart
                self.log(f"{name}, step {step} of {steps}")
                told = now

        yield on_step


def format_values(values: dict[str, float]) -> str:
    """The rate and the losses, or the scores, in a line."""
    rate = f"{values['samples_per_second']:.3g} samples/s  " if "samples_per_second" in values else ""
    return rate + "  ".join(f"{name} {value:.3g}" for name, value in values.items() if name != "samples_per_second")
