"""A training started and watched on the command line: messages on stderr, and a bar if that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pgen.cli.terminal import log, progress, warn
from pgen.errors import InputError
from pgen.training.build import train
from pgen.training.run import Monitor, OnStep, format_values


def run_training(task: str, data: list[str] | None, settings: list[str] | None, gpus: str | None, **given: Any) -> None:
    """Train, and print the path of the weights, or of the checkpoint."""
    data = data or ["datasets/synthetic.h5"]
    result = train(task, data, **given, settings=settings or (), gpus=parse_gpus(gpus), monitor=TerminalMonitor())
    if os.environ.get("RANK", "0") == "0":  # one of torchrun's processes talks
        print(result)


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
