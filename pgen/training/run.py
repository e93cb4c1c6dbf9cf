"""The folder of a training: what is written to it, and when.

===========================  ====================================================================================
config.json                  the resolved settings (written by the command)
checkpoint.pt                the newest state to resume from; checkpoint-before.pt the one before, if that is damaged
last.safetensors             the averaged weights of the newest checkpoint
best.safetensors             the averaged weights that had the best main score of all validations
weights.safetensors          at the end: the averaged weights of the last step, what the other commands look for
metrics.jsonl                a JSON object a row: losses, as means since the row before, and scores, by step
tensorboard/                 the same, if TensorBoard is installed
curves.png, samples.png      the same drawn, and what the networks make of a few held-out people; at each validation
===========================  ====================================================================================

The finished weights are the last and not the best: the rate has fallen to 0 by then, and scores such as SSIM, by which
the best are chosen, favour blur. The weights as they are without averaging are in the checkpoint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.data.weights import describe, save_weights
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write, remove_leftovers
from pgen.training.checkpoint import Checkpoints, TrainingState
from pgen.training.curves import draw_curves
from pgen.training.tasks.base import TrainingTask


@dataclass
class RunConfig:
    """Where a training writes, and when to stop."""

    folder: Path
    info: dict[str, Any]  #: the resolved configuration, saved with the weights
    seed: int = 0
    precision: str = "fp32"  #: "fp32", or "bf16" or "fp16" by autocast
    max_steps: int | None = None  #: stop here, to be resumed later
    resume: bool = False
    warn: Callable[[str], None] = lambda message: None  #: tells the user
    workers: int | None = None  #: processes that read photos ahead, see `pgen.training.loader.load_steps`

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.folder)

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def check_folder(self) -> None:
        """Refuse to write over another run. Raises InputError."""
        if self.resume:
            return
        if self.weights.exists():
            raise InputError(f"{self.folder} holds a finished run: choose another --out, or remove it first")
        if self.checkpoints.exist():
            raise InputError(
                f"{self.folder} holds an unfinished run: continue it with --resume or choose another --out"
            )

    def kept(self) -> str:
        """What is left after a failure, for a message."""
        newest = self.checkpoints.newest
        return f"{newest} holds the last good state" if newest.exists() else "no checkpoint was written yet"


class RunWriter:
    """Writes what a training comes to; in the first process only."""

    def __init__(
        self, stage: TrainingTask, run: RunConfig, state: TrainingState, report: Callable[[int, dict[str, float]], None]
    ) -> None:
        """Rows of steps that are yet to come, of a run that was interrupted, are dropped."""
        self.stage, self.run, self.state, self.report = stage, run, state, report
        self.scores: dict[str, float] = {}
        self.path = run.folder / "metrics.jsonl"
        self.rows = [row for row in read_metrics(self.path) if row["step"] <= state.step]
        for name in ("metrics.jsonl", "last.safetensors", "best.safetensors", "weights.safetensors"):
            remove_leftovers(run.folder / name)
        with atomic_write(self.path, force=True) as aside:
            aside.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        self.file = self.path.open("a", encoding="utf-8")
        self.board = _board(run.folder / "tensorboard", state.step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()

    def write(self, values: Mapping[str, float]) -> None:
        """Add a row, and report it."""
        step = self.state.step
        row = {"step": step, **{name: round(value, 6) for name, value in values.items()}}
        self.rows.append(row)
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)
        self.report(step, dict(values))

    def validate(self) -> None:
        """Score the averaged networks, keep them if they are the best, and draw the pictures."""
        stage, state = self.stage, self.state
        self.scores = stage.validate(state.average)
        self.write(self.scores)
        score = self.scores[stage.score]
        if math.isfinite(score) and (state.best is None or score > state.best):
            state.best = score
            self._save_weights("best.safetensors")
        self._save_picture("curves.png", draw_curves(self.rows))
        picture = stage.draw_samples(state.average)
        if picture is not None:
            self._save_picture("samples.png", picture)

    def checkpoint(self) -> None:
        """Save the state, and the averaged weights by themselves."""
        self.run.checkpoints.save(self.state)
        self._save_weights("last.safetensors")

    def finish(self) -> None:
        """Write the finished weights, if they are not there."""
        path = self.run.weights
        if not path.exists() or describe(path)["info"].get("step") != self.state.step:
            self._save_weights(path.name)

    def _save_weights(self, name: str) -> None:
        networks = {**self.state.average, **self.stage.frozen_networks}
        info = {**self.run.info, "step": self.state.step, "scores": self.scores}
        save_weights(self.run.folder / name, self.stage.frame, networks, info, force=True)

    def _save_picture(self, name: str, picture: NDArray[np.uint8]) -> None:
        with atomic_write(self.run.folder / name, force=True) as aside:
            Image.fromarray(picture).save(aside, optimize=True)
        if self.board is not None:
            self.board.add_image(name.removesuffix(".png"), picture, self.state.step, dataformats="HWC")


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


def _board(folder: Path, step: int) -> Any:
    """Where TensorBoard looks, or None if it is not installed or does not fit what else is."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except (ImportError, AttributeError, TypeError):  # the last two of a protobuf that is too new or too old
        return None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
