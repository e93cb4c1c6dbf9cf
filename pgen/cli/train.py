"""``pgen train-pose``, ``train-hs`` and ``train-joint``: the three trainings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgen.cli.conduct import progress, say, seed_everything, warn
from pgen.cli.options import Seed
from pgen.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from pgen.data.samples import Sampler
    from pgen.data.store import Store
    from pgen.data.weights import Weights
    from pgen.training.config import Preset
    from pgen.training.loop import Stage


class Precision(StrEnum):
    """Arithmetic of the training."""

    FP32 = "fp32"
    BF16 = "bf16"


class Variant(StrEnum):
    """The paper's ablation."""

    BASELINE = "baseline"
    TS_GT = "ts-gt"
    TS_PRED = "ts-pred"
    E2E = "e2e"


Data = Annotated[Path, typer.Option(help="The data set, as `pgen prepare` writes it.", metavar="FILE.h5")]
PresetName = Annotated[str, typer.Option("--preset", help="Sizes, losses and schedule.", metavar="NAME")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of the preset: semantic.schedule.steps=2000.", metavar="KEY=VALUE"),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder (default: runs/STAGE).", metavar="DIR")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in this folder.")]
PrecisionName = Annotated[Precision, typer.Option("--precision", help="bf16: faster where the processor has it.")]
MaxSteps = Annotated[
    int | None, typer.Option("--max-steps", min=1, help="Stop after this many steps, to be resumed later.")
]

#: How many held-out pairs the scores at intervals are taken over.
_VALIDATION_PAIRS = 96


def train_pose(
    data: Data = Path("datasets/synthetic.h5"),
    preset: PresetName = "synthetic-128",
    settings: Settings = None,
    out: Out = None,
    resume: Resume = False,
    precision: PrecisionName = Precision.FP32,
    max_steps: MaxSteps = None,
    seed: Seed = 0,
) -> None:
    """Train the pose detector that H_A's pose loss looks through."""

    def build(config: Preset, store: Store, train: Sampler, held_out: Sampler) -> Stage:
        from pgen.training.pose_stage import PoseStage

        return PoseStage(config.pose, train, held_out, seed)

    _train("pose", build, data, preset, settings, out, resume, precision, max_steps, seed)


def train_hs(
    data: Data = Path("datasets/synthetic.h5"),
    preset: PresetName = "synthetic-128",
    settings: Settings = None,
    out: Out = None,
    resume: Resume = False,
    precision: PrecisionName = Precision.FP32,
    max_steps: MaxSteps = None,
    seed: Seed = 0,
) -> None:
    """Train H_S, which transforms the parsing map, on pseudo labels."""

    def build(config: Preset, store: Store, train: Sampler, held_out: Sampler) -> Stage:
        from pgen.training.semantic_stage import SemanticStage

        matches = _pseudo_labels(config, store, train, seed)
        return SemanticStage(config.semantic, train, held_out, _held_out_pairs(store), seed, matches)

    _train("hs", build, data, preset, settings, out, resume, precision, max_steps, seed)


def train_joint(
    data: Data = Path("datasets/synthetic.h5"),
    preset: PresetName = "synthetic-128",
    semantic: Annotated[Path, typer.Option(help="Finished weights of train-hs.")] = Path("runs/hs/weights.safetensors"),
    pose: Annotated[Path, typer.Option(help="Finished weights of train-pose.")] = Path("runs/pose/weights.safetensors"),
    variant: Annotated[
        Variant | None,
        typer.Option(help="Of the paper's ablation: no parsing; true maps; H_S frozen (default); both end to end."),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Weights to start H_A from; one-level weights become the global network of a two-level one."),
    ] = None,
    vgg: Annotated[
        str | None,
        typer.Option(
            help="VGG-16 weights, or `bundled` (default: torchvision's if cached or fetchable, else bundled).",
            metavar="FILE",
        ),
    ] = None,
    settings: Settings = None,
    out: Out = None,
    resume: Resume = False,
    precision: PrecisionName = Precision.FP32,
    max_steps: MaxSteps = None,
    seed: Seed = 0,
) -> None:
    """Train H_A, which paints the person's appearance into the map: with H_S frozen, or both end to end."""

    def build(config: Preset, store: Store, train: Sampler, held_out: Sampler) -> Stage:
        from pgen.data.vgg import perceptual_features
        from pgen.data.weights import load_weights
        from pgen.training.appearance_stage import AppearanceStage, Frozen, needs_semantic
        from pgen.training.pose_stage import frozen

        def trained(path: Path, flag: str, command: str) -> Weights:
            if not path.exists():
                raise InputError(f"{flag} {path}: there is no such file; train it with `pgen {command}`")
            weights = load_weights(path)
            if weights.frame != store.size:
                frame = weights.frame
                warn(f"{flag} {path}: trained at {frame[0]}x{frame[1]}, the data are {store.size[0]}x{store.size[1]}")
            return weights

        of_semantic = None
        if needs_semantic(config.appearance):
            of_semantic = trained(semantic, "--semantic", "train-hs").semantic
            if of_semantic is None:
                raise InputError(f"--semantic {semantic}: holds no H_S; train one with `pgen train-hs`")
        of_pose = trained(pose, "--pose", "train-pose").pose
        if of_pose is None:
            raise InputError(f"--pose {pose}: holds no pose detector; train one with `pgen train-pose`")
        perceptual, origin = perceptual_features(vgg, fetch=True)
        say(f"perceptual features: {origin}")
        matches = _pseudo_labels(config, store, train, seed)
        fixed = Frozen(of_semantic and frozen(of_semantic), frozen(of_pose), perceptual)
        stage = AppearanceStage(config.appearance, fixed, train, held_out, _held_out_pairs(store), matches, seed)
        if start is not None:
            of_start = load_weights(start).appearance
            if of_start is None:
                raise InputError(f"--start {start}: holds no H_A; give weights of train-joint")
            try:
                stage.start_from(of_start)
            except ValueError as error:
                raise InputError(f"--start {start}: {error}") from None
        return stage

    if variant is not None:
        settings = [*(settings or ()), f"appearance.variant={variant.value}"]
    _train("joint", build, data, preset, settings, out, resume, precision, max_steps, seed)


def _train(
    stage_name: str,
    build: Callable[[Preset, Store, Sampler, Sampler], Stage],
    data: Path,
    preset: str,
    settings: list[str] | None,
    out: Path | None,
    resume: bool,
    precision: Precision,
    max_steps: int | None,
    seed: int,
) -> None:
    from dataclasses import asdict

    from pgen.data.samples import Sampler
    from pgen.data.store import Store
    from pgen.training.config import load_preset
    from pgen.training.loop import Run, train
    from pgen.version import version

    seed_everything(seed)
    config = load_preset(preset, settings or ())
    folder = out or Path("runs") / stage_name
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: is a file; name a folder for the run")
    info = {"pgen": version(), "preset": preset, "seed": seed, "data": str(data), "config": asdict(config)}
    run = Run(folder, info, seed, str(precision.value), max_steps, resume=resume)
    run.check_folder()
    store = Store(data)
    say(f"reading {data} and preparing the {stage_name} training")
    stage = build(config, store, Sampler(store, "train"), Sampler(store, "test"))
    _keep_settings(folder / "config.json", info)
    with progress(f"train {stage_name}", stage.schedule.steps) as advance:
        at = 0

        def report(step: int, values: dict[str, float]) -> None:
            nonlocal at
            advance(step - at, "  ".join(f"{name} {value:.3g}" for name, value in values.items()))
            at = step

        result = train(stage, run, report)
    print(result)


def _keep_settings(path: Path, info: dict[str, Any]) -> None:
    """Write the resolved settings to ``path``, and say what differs from those of the run that is resumed."""
    import json

    from pgen.data.outputs import write_whole

    now = json.loads(json.dumps(info))
    if path.exists():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError:
            before = {}
        for name, old, new in _differences(before, now):
            warn(f"resuming with {name} = {new} (it was {old})")
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path, force=True) as temporary:
        temporary.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def _differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted name, old, new) of every setting of ``now`` that is not as in ``before``."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in now.items():
            yield from _differences(before.get(key), value, f"{name}.{key}" if name else key)
    elif before != now:
        yield name, before, now


def _pseudo_labels(config: Preset, store: Store, train: Sampler, seed: int) -> Tensor:
    import torch

    from pgen.data.pseudo_matches import training_matches

    wanted = config.semantic
    matches, origin = training_matches(store, train, wanted.nearest, wanted.turned, seed, wanted.same_clothes)
    say(origin)
    return torch.from_numpy(matches)


def _held_out_pairs(store: Store):  # type: ignore[no-untyped-def]  # torch is imported late
    """Test pairs (M, 2) as indices into the test split, evenly thinned to a number quick to score."""
    import numpy as np
    import torch

    position = {int(index): k for k, index in enumerate(store.indices("test"))}
    pairs = [pair for pair in store.pairs("test").tolist() if position.keys() >= set(pair)]
    if not pairs:
        raise InputError(f"{store.path}: has no pairs of test images to validate on; prepare the data set with some")
    chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), _VALIDATION_PAIRS)).astype(int)
    return torch.tensor([[position[index] for index in pairs[k]] for k in chosen])
