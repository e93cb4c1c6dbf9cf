"""Options that mean the same in every command that has them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from pgen.errors import InputError

_KEEP_GOING = "Take photos one by one: leave out those that cannot be used, and those whose results are there already."

Seed = Annotated[int, Option(min=0, help="Makes the run repeatable: the same seed, the same result.")]
Force = Annotated[bool, Option("--force", help="Overwrite a result that exists.")]
KeepGoing = Annotated[bool, Option("--keep-going", help=_KEEP_GOING)]
Weights = Annotated[
    Path | None,
    Option("--weights", help="Networks: a file, a run's folder, or bundled (the default).", metavar="FILE|DIR"),
]
Crop = Annotated[bool, Option("--crop/--no-crop", help="Work on the part around a person who is small in the photo.")]
Results = Annotated[
    Path | None, Option("--out", "-o", help="PNG, JPEG or WebP file; for several results a folder.", metavar="FILE|DIR")
]
Device = Annotated[str, Option(help="auto, cpu, cuda:0, mps: where the networks run.", metavar="NAME")]
Precision = Annotated[
    str, Option(help="auto, fp32, bf16, fp16: of the networks; auto is bf16 where it is faster.", metavar="NAME")
]
Workers = Annotated[int | None, Option(min=1, help="Processes that work side by side (default: one a processor).")]

_NUMBER = "Which person of a photo, 0 being the largest (default: the largest)."
_POSE = f"What estimates poses: {', '.join(POSE_ANNOTATORS)}; NAME:FILE with weights of your own."
_PARSER = f"What estimates parsing maps: {', '.join(PARSING_ANNOTATORS)}; NAME:FILE with weights of your own."

PersonNumber = Annotated[int | None, Option("--person", min=0, help=_NUMBER, metavar="N")]
PoseAnnotatorName = Annotated[str, Option("--pose-annotator", help=_POSE, metavar="NAME")]
ParserName = Annotated[str, Option("--parser", help=_PARSER, metavar="NAME")]

#: Flags that are not called as the parameter of Python is.
FLAGS = {"overwrite": "--force", "settings": "--set", "baselines": "--baseline", "protocols": "--protocol"}
FLAGS |= {
    "processes": "--procs",
    "edits": "--edit",
    "crop": "--no-crop",
    "number": "--person",
    "with_config": "--config",
}

_SCHEME = "Labels of maps that are given: spt10 (default), lip20, cihp20, atr18, adgan8, ccp59, …, or your own table."
_CONFIDENCE = "Leave out joints in files of poses that are less sure."

CONFIDENCE = 0.1
SchemeName = Annotated[str | None, Option("--parsing-scheme", help=_SCHEME, metavar="NAME|FILE.toml")]
MinConfidence = Annotated[float, Option("--min-confidence", min=0, max=1, help=_CONFIDENCE, metavar="0…1")]

_SMALLEST, _LARGEST = 16, 4096


def flag_of(option: str) -> str:
    """The flag that sets the parameter ``option`` of Python: ``"src_pose"`` → ``"--src-pose"``."""
    return FLAGS.get(option, f"--{option.replace('_', '-')}")


def make_option(name: str, kind: Any, default: Any, help: str = "", *flags: str, **more: Any) -> Parameter:
    """An option for `with_options`; without ``help``, ``kind`` is one of those above."""
    annotation = Annotated[kind, Option(*flags, help=help, **more)] if help else kind
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_options(*options: Parameter) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: ``options`` are those of the command, which is given them by name."""

    def declare(command: Callable[..., None]) -> Callable[..., None]:
        command.__annotations__ = {option.name: option.annotation for option in options}
        command.__signature__ = Signature(options)  # type: ignore[attr-defined]
        return command

    return declare


def parse_size(text: str, flag: str) -> tuple[int, int]:
    """(height, width) of ``text``: "256" or "256x176". Raises `InputError` naming ``flag``."""
    numbers = text.lower().replace("×", "x").split("x")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise InputError(f"{flag} {text!r} is not a size; write HEIGHTxWIDTH, such as 256x176, or one number")
    height, width = int(numbers[0][:9]), int(numbers[-1][:9])
    if not all(_SMALLEST <= side <= _LARGEST for side in (height, width)):
        raise InputError(f"{flag} {text}: sides must be {_SMALLEST} to {_LARGEST} pixels")
    return height, width


def parse_kinds(text: str, flag: str) -> tuple[str, ...]:
    """What is to be estimated, of "pose,parsing". Raises `InputError` naming ``flag``."""
    kinds = tuple(part.strip() for part in text.split(","))
    if not set(kinds) <= {"pose", "parsing"}:
        raise InputError(f"{flag} {text}: choose pose, parsing, or pose,parsing")
    return kinds


def parse_names(text: str, option: str) -> list[str]:
    """The names in a list with commas. Raises `InputError` if there is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{text!r} names nothing; write names with commas between", option=option)
    return names
