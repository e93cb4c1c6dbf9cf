"""``pgen train-pose``, ``train-hs``, ``train-joint``, ``train-parser``: their options, and starting the processes."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer

from pgen.cli.options import Seed
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.training.build import Materials
    from pgen.training.config import Preset
    from pgen.training.tasks.base import TrainingTask


class Precision(StrEnum):
    """Arithmetic of the training."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Variant(StrEnum):
    """The paper's ablation."""

    BASELINE = "baseline"
    TS_GT = "ts-gt"
    TS_PRED = "ts-pred"
    E2E = "e2e"


@dataclass(frozen=True)
class Options(ABC):
    """The options of all these commands."""

    data: Annotated[Path, typer.Option(help="The data set, as `pgen prepare` writes it.", metavar="FILE.h5")] = Path(
        "datasets/synthetic.h5"
    )
    preset: Annotated[str, typer.Option("--preset", help="Sizes and schedule.", metavar="NAME")] = "synthetic-128"
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            help="Losses: `paper`, or `pgen` with additions (default: what the preset is meant for).",
            metavar="NAME",
        ),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field of the preset: semantic.schedule.steps=2000.", metavar="KEY=VALUE"),
    ] = None
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder (default: runs/STAGE).", metavar="DIR")
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in this folder.")] = False
    gpus: Annotated[
        str | None,
        typer.Option(
            "--gpus", help="Train on these GPUs, one process each (default: the first, if any).", metavar="0,1"
        ),
    ] = None
    procs: Annotated[
        int,
        typer.Option("--procs", min=0, help="Train in so many processes on the CPU.", metavar="N", show_default=False),
    ] = 0
    precision: Annotated[
        Precision, typer.Option("--precision", help="bf16: faster where the processor has it; fp16: on GPUs.")
    ] = Precision.FP32
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, help="Stop after this many steps, to be resumed later.")
    ] = None
    seed: Seed = 0

    stage: ClassVar[str]  #: its name, and that of its run folder
    group: ClassVar[str]  #: that of its fields in a preset

    def config(self) -> Preset:
        """The preset with the settings. Raises InputError."""
        from pgen.training.config import load_preset

        return load_preset(self.preset, self.all_settings(), self.recipe)

    def all_settings(self) -> list[str]:
        """``--set``, and options that stand for settings."""
        return list(self.settings or ())

    @abstractmethod
    def build(self, made_of: Materials) -> TrainingTask:
        """The stage to be trained."""


@dataclass(frozen=True)
class PoseOptions(Options):
    """Train the pose detector that H_A's pose loss looks through."""

    stage, group = "pose", "pose"

    def build(self, made_of: Materials) -> TrainingTask:
        from pgen.training.build import pose_stage

        return pose_stage(made_of)


@dataclass(frozen=True)
class SemanticOptions(Options):
    """Train H_S, which transforms the parsing map, on pseudo labels."""

    start: Annotated[
        Path | None, typer.Option(help="Weights to start H_S from; those of half the frame are grown to twice theirs.")
    ] = None

    stage, group = "hs", "semantic"

    def build(self, made_of: Materials) -> TrainingTask:
        from pgen.training.build import semantic_stage

        return semantic_stage(made_of, self.start)


@dataclass(frozen=True)
class JointOptions(Options):
    """Train H_A, which paints the person's appearance into the map: with H_S frozen, or both end to end."""

    semantic: Annotated[Path, typer.Option(help="Finished weights of train-hs.")] = Path("runs/hs/weights.safetensors")
    pose: Annotated[Path, typer.Option(help="Finished weights of train-pose.")] = Path("runs/pose/weights.safetensors")
    variant: Annotated[
        Variant | None,
        typer.Option(help="Of the paper's ablation: no parsing; true maps; H_S frozen (default); both end to end."),
    ] = None
    start: Annotated[
        Path | None,
        typer.Option(help="Weights to start H_A from; one-level weights become the global network of a two-level one."),
    ] = None
    vgg: Annotated[
        str | None,
        typer.Option(
            help="VGG-16 weights, or `bundled` (default: torchvision's if cached or fetchable, else bundled).",
            metavar="FILE",
        ),
    ] = None

    stage, group = "joint", "appearance"

    def all_settings(self) -> list[str]:
        of_variant = [] if self.variant is None else [f"appearance.variant={self.variant.value}"]
        return [*super().all_settings(), *of_variant]

    def build(self, made_of: Materials) -> TrainingTask:
        from pgen.training.build import appearance_stage

        return appearance_stage(made_of, self.semantic, self.pose, self.vgg, self.start)


@dataclass(frozen=True)
class ParserOptions(Options):
    """Train the parser, which estimates the parsing map of a photo that comes without one."""

    stage, group = "parser", "parser"

    def build(self, made_of: Materials) -> TrainingTask:
        from pgen.training.build import parser_stage

        return parser_stage(made_of)


def _command(options: type[Options]) -> Callable[..., None]:
    """A command whose options are the fields of ``options``, as typer reads them from a function."""

    def run(**given: Any) -> None:
        _train(options(**given))

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


def _train(options: Options) -> None:
    from pgen.cli.train_run import train_in
    from pgen.training.distributed import parse_gpus, run_in_processes
    from pgen.training.step import check_batch

    if options.gpus is not None and options.procs:
        raise InputError("--gpus and --procs exclude each other: --procs is for the CPU")
    gpus = parse_gpus(options.gpus)
    config = options.config()  # what is wrong is told before processes are started
    check_batch(getattr(config, options.group).schedule, len(gpus) or options.procs or 1)
    result = run_in_processes(gpus, options.procs, train_in, options)
    if result is not None:
        print(result)
