"""What a command raises, as one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress

import typer

from pgen.cli.options import flag_of
from pgen.cli.signals import run_until_terminated
from pgen.cli.terminal import log
from pgen.errors import InputError, PgenError

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

    0: done. 1: failed while working. 2: bad input or usage. 130: Ctrl-C. 143: SIGTERM. ``debug`` prints a traceback.
    """
    if not debug:
        warnings.simplefilter("ignore")
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
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
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        with suppress(OSError, ValueError, AttributeError):  # keeps Python from complaining, at its end, about the rest
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except BaseException as error:
        if debug:
            traceback.print_exception(error)
        line, code = _explain(error)
        log(f"error: {line}")
        return code


def _explain(error: BaseException) -> tuple[str, int]:
    """The line that explains ``error`` to the user, and the exit code."""
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
