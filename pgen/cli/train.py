"""``pgen train-pose``, ``train-hs``, ``train-joint``, ``train-parser``: their options, handed to `pgen.train`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from inspect import Parameter
from pathlib import Path
from typing import Any

from pgen.cli.options import make_option, with_options

Precision = StrEnum("Precision", {"FP32": "fp32", "BF16": "bf16", "FP16": "fp16"})
Variant = StrEnum("Variant", {"BASELINE": "baseline", "TS_GT": "ts-gt", "TS_PRED": "ts-pred", "E2E": "e2e"})

_DATA = (
    "The data set, as `pgen prepare` writes it (default: datasets/synthetic.h5); given several times, all of them, "
    "each with its share of the samples behind a colon or an equal share of what is left."
)
_RECIPE = "Losses: `paper`, or `pgen` with additions (default: what the preset is meant for)."
_SETTINGS = "Change a field of the preset: semantic.schedule.steps=2000."
_RESUME = "Go on with the run in this folder, as it was begun; what else is given changes that, and is told."
_SEED = "Makes the run repeatable: the same seed, the same result (default: 0)."
_GPUS = "Train on these GPUs, one process each (default: the first, if any)."
_PROCESSES = "Train in so many processes on the CPU."
_PRECISION = "bf16: faster where the processor has it; fp16: on GPUs (default: fp32)."
_VALIDATION = "Score the networks on people for testing, or else on a tenth of the people, at intervals (default)."
_START_HS = "Weights to start H_S from; those of half the frame are grown to twice theirs."
_START_HA = "Weights to start H_A from; one-level weights become the global network of a two-level one."
_START_PARSER = "Weights to start the parser from; more layers are grown from them."
_VARIANT = "Of the paper's ablation: no parsing; true maps; H_S frozen (default); both end to end."
_VGG = "VGG-16 weights, or `bundled` (default: torchvision's if cached or fetchable, else bundled)."


#: The options of all these commands.
_OPTIONS = (
    make_option("data", list[str] | None, None, _DATA, metavar="FILE.h5[:SHARE]"),
    make_option("preset", str | None, None, "Sizes and schedule (default: synthetic-128).", metavar="NAME"),
    make_option("recipe", str | None, None, _RECIPE, metavar="NAME"),
    make_option("settings", list[str] | None, None, _SETTINGS, "--set", metavar="KEY=VALUE"),
    make_option("out", Path | None, None, "Run folder (default: runs/TRAINING).", "--out", "-o", metavar="DIR"),
    make_option("resume", bool, False, _RESUME, "--resume"),
    make_option("gpus", str | None, None, _GPUS, metavar="0,1"),
    make_option("processes", int, 0, _PROCESSES, "--procs", min=0, metavar="N", show_default=False),
    make_option("precision", Precision | None, None, _PRECISION),
    make_option("validation", bool | None, None, _VALIDATION, "--validation/--no-validation"),
    make_option("workers", int | None, None, "Processes that read photos ahead (default: where it pays).", min=0),
    make_option(
        "max_steps", int | None, None, "Stop after this many steps, to be resumed later.", "--max-steps", min=1
    ),
    make_option("seed", int | None, None, _SEED, metavar="N", min=0),
)


def _command(task: str, help: str, *options: Parameter) -> Callable[..., None]:
    """The command of the training ``task``, with more options of its own."""

    @with_options(*_OPTIONS, *options)
    def run(**given: Any) -> None:
        from pgen.cli.train_run import run_training

        run_training(task, **given)

    run.__doc__ = help
    return run


train_pose = _command("pose", "Train the pose detector that H_A's pose loss looks through.")
train_hs = _command(
    "hs",
    "Train H_S, which transforms the parsing map, on pseudo labels.",
    make_option("start", Path | None, None, _START_HS),
)
train_joint = _command(
    "joint",
    "Train H_A, which paints the person's appearance into the map: with H_S frozen, or both end to end.",
    make_option("semantic", Path | None, None, "Finished weights of train-hs (default: those in runs/hs)."),
    make_option("pose", Path | None, None, "Finished weights of train-pose (default: those in runs/pose)."),
    make_option("variant", Variant | None, None, _VARIANT),
    make_option("start", Path | None, None, _START_HA),
    make_option("vgg", str | None, None, _VGG, metavar="FILE"),
)
train_parser = _command(
    "parser",
    "Train the parser, which estimates the parsing map of a photo that comes without one.",
    make_option("start", Path | None, None, _START_PARSER),
)
