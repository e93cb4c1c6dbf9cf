"""The command ``pgen``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer import Option

from pgen.cli.errors_to_exit_codes import errors_to_exit_codes
from pgen.cli.given_options import NotingCommand
from pgen.cli.terminal import log
from pgen.errors import InputError
from pgen.runtime.allocator import keep_freed_memory
from pgen.runtime.busy_processors import choose_threads, read_usage, set_thread_count
from pgen.runtime.lazy_object import load_object
from pgen.version import version

#: Where each command lives: "module:function"; the function's docstring is the command's help.
COMMANDS = {
    "demo": "pgen.cli.demo:run",
    "prepare": "pgen.cli.prepare:run",
    "inspect": "pgen.cli.inspect:run",
    "train-pose": "pgen.cli.train:train_pose",
    "train-hs": "pgen.cli.train:train_hs",
    "train-joint": "pgen.cli.train:train_joint",
    "train-parser": "pgen.cli.train:train_parser",
    "presets": "pgen.cli.presets:run",
    "generate": "pgen.cli.generate:run",
    "poses": "pgen.cli.poses:run",
    "annotate": "pgen.cli.annotate:run",
    "evaluate": "pgen.cli.evaluate:run",
    "texture-transfer": "pgen.cli.texture_transfer:run",
    "manipulate": "pgen.cli.manipulate:run",
    "studio": "pgen.cli.studio:run",
    "import-weights": "pgen.cli.import_weights:run",
}

_MOST_THREADS = 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's own) and return the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = given[: given.index("--")] if "--" in given else given
    rest = given[len(options) :]
    arguments = [argument for argument in options if argument != "--debug"] + rest  # wherever it stands

    def run() -> None:
        at_start = read_usage()
        threads = _take_threads(arguments)
        if arguments == ["--version"]:  # at once: to read options, typer may import far more
            print(f"pgen {version()}")
            return
        keep_freed_memory()
        command = typer.main.get_command(build(*COMMANDS.keys() & arguments[:1]))
        if threads is not None:
            set_thread_count(threads)
        elif (told := choose_threads(at_start)) and "".join(arguments[:1]).startswith("train-"):
            log(told)
        with command.make_context("pgen", arguments) as context:
            command.invoke(context)

    return errors_to_exit_codes(run, debug="--debug" in options)


def _take_threads(arguments: list[str]) -> int | None:
    """The number that ``--threads`` says, which is taken out of ``arguments``, wherever it stands."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for place, argument in enumerate(arguments[:end]):
        name, _, value = argument.partition("=")
        if name == "--threads":
            given = [value] if "=" in argument else arguments[place + 1 : min(place + 2, end)]
            del arguments[place : place + (1 if "=" in argument else 2)]
            text = given[0] if given else ""
            if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= _MOST_THREADS):
                raise InputError(f"--threads {text!r} is no number of threads; give 1 to {_MOST_THREADS}")
            return int(text)
    return None


def build(*names: str) -> typer.Typer:
    """The typer application with the commands of these ``names``, or all: to read their options takes time."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,  # rich help takes as long to import as all the rest
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_pgen)
    for name in names or COMMANDS:
        command = load_object(COMMANDS[name])
        app.command(name, cls=NotingCommand, short_help=_get_first_sentence(command.__doc__ or ""))(command)
    return app


def _get_first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].removesuffix(".") + "."


def _pgen(
    context: typer.Context,
    show_version: Annotated[bool, Option("--version", help="Print the version and leave.")] = False,
    debug: Annotated[
        bool, Option("--debug", help="Print the traceback of an error; may stand after the command too.")
    ] = False,
    threads: Annotated[
        int | None, Option("--threads", help="Threads to compute with; may stand after the command too.", metavar="N")
    ] = None,
) -> None:
    """Put a person into another pose, by unsupervised person image generation."""
    if show_version:
        print(f"pgen {version()}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


if __name__ == "__main__":
    sys.exit(main())
