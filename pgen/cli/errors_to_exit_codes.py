"""What a command raises, as one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import traceback
import warnings
from collections.abc import Callable

import typer

from pgen.cli.folders import remove_empty_folders
from pgen.cli.options import flag_of
from pgen.cli.signals import run_until_terminated
from pgen.cli.streams import open_streams, outlast_output
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

#: What helps when the system refuses something.
_REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "that disk can only be read; write elsewhere",
    errno.EMFILE: "use fewer workers, or let more files be open (ulimit -n)",
    errno.ENFILE: "end other programs, which have too many files open",
    errno.EIO: "the disk or the network fails; try again, or copy the file elsewhere",
    errno.ENOENT: "it was removed meanwhile; run the command again",
    errno.ESTALE: "it was removed meanwhile; run the command again",
}


def errors_to_exit_codes(run: Callable[[], object], debug: bool = False) -> int:
    """Call ``run`` and return the exit code, with whatever it raises turned into one line on stderr.

    0: done. 1: failed while working. 2: bad input or usage. 130: Ctrl-C. 143: SIGTERM. ``debug`` prints a traceback.
    """
    open_streams()
    if not debug:
        warnings.simplefilter("ignore")
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)

    def work() -> None:
        with outlast_output():
            run()

    try:
        run_until_terminated(work, TERMINATED)
        return OK
    except typer.Exit as stop:  # --help, --version
        return stop.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        log("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        return FAILED
    except BaseException as error:
        if debug:
            traceback.print_exception(error)
        line, code = _explain(error)
        log(f"error: {line}")
        return code
    finally:
        remove_empty_folders()


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
    text = str(error)
    if "can't allocate memory" in text:  # as torch says it, on the CPU
        return _explain(MemoryError())
    if isinstance(error, OSError) and (error.errno is not None or error.filename):
        return _explain_os_error(error), FAILED
    shown = type(error).__name__ + (f": {text}" if text else "")
    return f"{shown} (run with --debug for the traceback)", FAILED


def _explain_os_error(error: OSError) -> str:
    """What the system did not do, and what helps."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" to write {error.filename}" if error.filename else ""
        return f"no space left on the disk{where}; free some or write elsewhere"
    reason = error.strerror or "it cannot be read or written"
    remedy = _REMEDIES.get(error.errno or 0, "check it, and the disk that it is on")
    return f"{error.filename or 'a file'}: {reason[:1].lower()}{reason[1:]}; {remedy}"
