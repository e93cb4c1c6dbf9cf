"""How every command behaves: error lines, exit codes, progress, messages, tables, seeds, devices.

Commands call what is here and do none of it on their own; output files go through `pgen.runtime.atomic_write`.
Nothing heavy is imported before it is needed, so that ``pgen --help`` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import typer

from pgen.cli.ending import run_until_terminated
from pgen.cli.options import flag_of
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    import torch

OK, FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

#: What keeps libraries from talking to the user.
_QUIET = {
    "GLOG_minloglevel": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}


def errors_to_exit_codes(run: Callable[[], object], debug: bool = False) -> int:
    """Call ``run`` and return the exit code, with whatever it raises turned into one line on stderr.

    0: done. 1: failed while working. 2: bad input or usage. 130: Ctrl-C. 143: told to end. A traceback is
    printed only with ``debug``.
    """
    if not debug:
        _silence_libraries()
    try:
        run_until_terminated(lambda: (run(), sys.stdout.flush()), TERMINATED)
        return OK
    except typer.Exit as stop:  # --help, --version
        return stop.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        log("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()  # the reader, such as `head`, has seen enough
        return FAILED
    except BaseException as error:
        if debug:
            traceback.print_exception(error)
        line, code = _explain(error)
        log(f"error: {line}")
        return code


def log(message: str) -> None:
    """Print ``message`` on stderr as one line."""
    line = " ".join(message.split())
    with suppress(OSError, ValueError):  # nobody listens any more
        print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line), file=sys.stderr)


def warn(message: str) -> None:
    """Tell the user on stderr about something that may not be as intended."""
    log(f"warning: {message}")


class AdvanceProgress(Protocol):
    """Reports that ``count`` more items are done; ``note`` is shown beside the bar."""

    def __call__(self, count: int = 1, note: str = "") -> None: ...


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[AdvanceProgress]:
    """Show a progress bar on stderr while the block runs, if that is a terminal; yields what moves it."""
    if not sys.stderr.isatty():
        yield lambda count=1, note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    note_column = TextColumn("{task.fields[note]}", markup=False)
    with Progress(*columns, note_column, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, note="")

        def advance(count: int = 1, note: str = "") -> None:
            bar.update(task, advance=count)
            if note:
                bar.update(task, note=note)

        yield advance


def print_table(title: str, rows: Iterable[Sequence[object]], columns: Sequence[str] = ()) -> None:
    """Print ``title`` and a table of ``rows`` on stdout; without ``columns``, of names and values."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = None if sys.stdout.isatty() else 160
    table = Table(show_header=bool(columns))
    for column in columns or ("", ""):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(width=width)
    console.print(Text(title), soft_wrap=True)
    console.print(table)


def seed_everything(seed: int) -> None:
    """Make all random numbers of this process repeatable: Python's, NumPy's and torch's."""
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (libraries draw from it)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``name``: "cpu", "cuda", "cuda:1", "mps", or the best there is for "auto".

    Raises `InputError` if this machine has no such device.
    """
    import torch

    mps = torch.backends.mps.is_available()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{index}" for index in range(count)), *(["mps"] if mps else [])]
    if name == "auto":
        return torch.device("cuda:0" if count else "mps" if mps else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise InputError(f"--device {name}: there is no such device here; choose of auto, {', '.join(there)}")
    return torch.device(wanted)


def _explain(error: BaseException) -> tuple[str, int]:
    """What to tell the user about ``error``, and the exit code."""
    if isinstance(error, InputError):
        return str(error) + (f" ({flag_of(error.option)})" if error.option else ""), BAD_INPUT
    if isinstance(error, PgenError):
        return str(error), FAILED
    if hasattr(error, "format_message"):  # how typer says that the command line is wrong
        context = getattr(error, "ctx", None)
        remedy = f"; see {context.command_path} --help" if context is not None else ""
        return error.format_message().rstrip(".") + remedy, BAD_INPUT
    if isinstance(error, MemoryError):
        return "not enough memory; make the batch, the photos or the number of workers smaller", FAILED
    if type(error).__name__ == "OutOfMemoryError":
        return "the GPU has not enough memory; make the batch smaller, or use --device cpu", FAILED
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" to write {error.filename}" if error.filename else ""
        return f"no space left on the disk{where}; free some or write elsewhere", FAILED
    text = str(error)
    shown = type(error).__name__ + (f": {text}" if text else "")
    return f"{shown} (run with --debug for the traceback)", FAILED


def _silence_libraries() -> None:
    warnings.simplefilter("ignore")
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def _discard_stdout() -> None:
    """Keep Python from complaining, at its end, that what is left cannot be written."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
