"""A training started and watched on the command line: messages on stderr, and a bar if that is a terminal."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pgen.cli.terminal import log, progress, warn
from pgen.data.weights import describe
from pgen.errors import InputError, PgenError
from pgen.training.build import TASKS, train
from pgen.training.run import Monitor, OnStep, format_values

#: Fields of H_S that H_A's training heeds as well.
_OF_PSEUDO_LABELS = ("nearest", "other_facing", "garment_tolerance")


def run_training(task: str, data: list[str] | None, settings: list[str] | None, gpus: str | None, **given: Any) -> None:
    """Train, and print the path of the weights, or of the checkpoint."""
    _check_settings(task, settings or ())
    options: dict[str, Any] = {"settings": settings or (), "gpus": parse_gpus(gpus), "monitor": TerminalMonitor()}
    folder = Path(given["out"] or Path("runs") / task)
    try:
        result = train(task, data or None, **given, **options)
    except KeyboardInterrupt:
        _tell_how_to_go_on(task, folder)
        raise
    if os.environ.get("RANK", "0") == "0":  # one of torchrun's processes talks
        if result.name != "weights.safetensors":
            _tell_how_to_go_on(task, folder)
        print(result)


def _check_settings(task: str, settings: Sequence[str]) -> None:
    """Refuse settings of another training, which would do nothing. Raises InputError."""
    own = next(group for group, name in TASKS.items() if name == task)
    for setting in settings:
        group, _, field = setting.partition("=")[0].strip().partition(".")
        is_shared = (own, group) == ("appearance", "semantic") and field in _OF_PSEUDO_LABELS
        if group in TASKS and group != own and not is_shared:
            raise InputError(
                f"{setting}: this is a field of train-{TASKS[group]}, and does nothing here; fields of train-{task} "
                f"begin with {own}.",
                option="settings",
            )


def _tell_how_to_go_on(task: str, folder: Path) -> None:
    """Say what of a training that was stopped is done, and how it goes on."""
    last, step, steps = folder / "last.safetensors", 0, 0
    with suppress(PgenError, KeyError, TypeError, ValueError):
        info = describe(last)["info"]
        own = next(group for group, name in TASKS.items() if name == task)
        step, steps = int(info["step"]), int(info["config"][own]["schedule"]["steps"])
    if steps:
        out = "" if folder == Path("runs") / task else f" --out {shlex.quote(str(folder))}"
        log(f"stopped after step {step} of {steps}; pgen train-{task}{out} --resume goes on ({last} holds the weights)")


def parse_gpus(text: str | None) -> tuple[int, ...]:
    """``"0,1"`` → (0, 1). Raises InputError for what is no list of numbers."""
    parts = [part.strip() for part in text.split(",")] if text is not None else []
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"{text} is no list of GPUs: write their numbers, such as 0,1", option="gpus")
    return tuple(map(int, parts))


class TerminalMonitor(Monitor):
    """Shows a bar with losses and scores beside it; without a terminal, a line of them at intervals."""

    def log(self, message: str) -> None:
        log(message)

    def warn(self, message: str) -> None:
        warn(message)

    @contextmanager
    def watch(self, name: str, steps: int) -> Iterator[OnStep]:
        if not sys.stderr.isatty():
            with super().watch(name, steps) as on_step:
                yield on_step
            return
        with progress(f"train {name}", steps) as advance:
            at = 0

            def on_step(step: int, values: dict[str, float]) -> None:
                nonlocal at
                advance(step - at, format_values(values))
                at = step

            yield on_step
