"""What a training tells of itself while it runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pgen.training.run import OnStep

#: Losses are logged once in so many seconds at most; scores always.
_LOG_SECONDS = 30.0

_logger = logging.getLogger("pgen.training")


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
        """What hears of each step of the training ``name`` of so many ``steps``, while the block runs.

        It hands rows to ``on_log``, and else logs a line of them at intervals.
        """
        logged = -_LOG_SECONDS

        def on_step(step: int, values: dict[str, float]) -> None:
            nonlocal logged
            if not values:
                return
            is_losses, now = "samples_per_second" in values, time.monotonic()
            if self.on_log is not None:
                self.on_log(step, values)
            elif not is_losses or now - logged >= _LOG_SECONDS or step == steps:
                self.log(f"{name}, step {step} of {steps}: {format_values(values)}")
                logged = now if is_losses else logged

        yield on_step


def format_values(values: dict[str, float]) -> str:
    """The rate and the losses, or the scores, in a line."""
    rate = f"{values['samples_per_second']:.3g} samples/s  " if "samples_per_second" in values else ""
    return rate + "  ".join(f"{name} {value:.3g}" for name, value in values.items() if name != "samples_per_second")
