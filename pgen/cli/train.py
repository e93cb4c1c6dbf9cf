"""``pgen train-pose``, ``train-hs``, ``train-joint``, ``train-parser``: their options, handed to `pgen.train`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_type_hints

import typer

from pgen.cli.options import Seed

Precision = StrEnum("Precision", {"FP32": "fp32", "BF16": "bf16", "FP16": "fp16"})
Variant = StrEnum("Variant", {"BASELINE": "baseline", "TS_GT": "ts-gt", "TS_PRED": "ts-pred", "E2E": "e2e"})

_RECIPE = "Losses: `paper`, or `pgen` with additions (default: what the preset is meant for)."
_SETTINGS = "Change a field of the preset: semantic.schedule.steps=2000."
_GPUS = "Train on these GPUs, one process each (default: the first, if any)."
_START_HS = "Weights to start H_S from; those of half the frame are grown to twice theirs."
_START_HA = "Weights to start H_A from; one-level weights become the global network of a two-level one."
_VARIANT = "Of the paper's ablation: no parsing; true maps; H_S frozen (default); both end to end."
_VGG = "VGG-16 weights, or `bundled` (default: torchvision's if cached or fetchable, else bundled)."


@dataclass(frozen=True)
class Options:
    """The options of all these commands."""

    data: Annotated[Path, typer.Option(help="The data set, as `pgen prepare` writes it.", metavar="FILE.h5")] = Path(
        "datasets/synthetic.h5"
    )
    preset: Annotated[str, typer.Option(help="Sizes and schedule.", metavar="NAME")] = "synthetic-128"
    recipe: Annotated[str | None, typer.Option(help=_RECIPE, metavar="NAME")] = None
    settings: Annotated[list[str] | None, typer.Option("--set", help=_SETTINGS, metavar="KEY=VALUE")] = None
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder (default: runs/TRAINING).", metavar="DIR")
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in this folder.")] = False
    gpus: Annotated[str | None, typer.Option(help=_GPUS, metavar="0,1")] = None
    processes: Annotated[
        int,
        typer.Option("--procs", min=0, help="Train in so many processes on the CPU.", metavar="N", show_default=False),
    ] = 0
    precision: Annotated[Precision, typer.Option(help="bf16: faster where the processor has it; fp16: on GPUs.")] = (
        Precision.FP32
    )
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that read photos ahead (default: where it pays).")
    ] = None
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, help="Stop after this many steps, to be resumed later.")
    ] = None
    seed: Seed = 0

    task: ClassVar[str]


@dataclass(frozen=True)
class PoseOptions(Options):
    """Train the pose detector that H_A's pose loss looks through."""

    task = "pose"


@dataclass(frozen=True)
class SemanticOptions(Options):
    """Train H_S, which transforms the parsing map, on pseudo labels."""

    start: Annotated[Path | None, typer.Option(help=_START_HS)] = None
    task = "hs"


@dataclass(frozen=True)
class JointOptions(Options):
    """Train H_A, which paints the person's appearance into the map: with H_S frozen, or both end to end."""

    semantic: Annotated[Path, typer.Option(help="Finished weights of train-hs.")] = Path("runs/hs/weights.safetensors")
    pose: Annotated[Path, typer.Option(help="Finished weights of train-pose.")] = Path("runs/pose/weights.safetensors")
    variant: Annotated[Variant | None, typer.Option(help=_VARIANT)] = None
    start: Annotated[Path | None, typer.Option(help=_START_HA)] = None
    vgg: Annotated[str | None, typer.Option(help=_VGG, metavar="FILE")] = None
    task = "joint"


@dataclass(frozen=True)
class ParserOptions(Options):
    """Train the parser, which estimates the parsing map of a photo that comes without one."""

    task = "parser"


def _command(options: type[Options]) -> Callable[..., None]:
    """A command whose options are the fields of ``options``, as typer reads them from a function."""

    def run(**given: Any) -> None:
        from pgen.cli.train_run import run_training

        run_training(options.task, **given)

    hints = get_type_hints(options, include_extras=True)
    run.__annotations__ = {field.name: hints[field.name] for field in fields(options)}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(options)
        ]
    )
    run.__doc__ = options.__doc__
    return run


train_pose = _command(PoseOptions)
train_hs = _command(SemanticOptions)
train_joint = _command(JointOptions)
train_parser = _command(ParserOptions)
