"""What a training is made of: every field, its meaning and its default; presets and recipes; ``--set key=value``.

A preset, ``presets/NAME.toml``, holds sizes and schedules and names the recipe that it is meant for. A recipe,
``recipes/NAME.toml``, holds losses, their weights and the additions to the paper: "paper" has none, "pgen" all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from importlib import resources
from math import inf
from typing import Any, get_type_hints

from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig
from pgen.models.discriminators import DiscriminatorConfig
from pgen.models.parser import ParserConfig
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.semantic import SemanticConfig

#: The paper's ablation: no parsing at all; two stages with the true target map, or with H_S's; end to end.
VARIANTS = ("baseline", "ts-gt", "ts-pred", "e2e")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    steps: int = 10_000  #: optimiser steps
    batch: int = 8  #: samples a step, of all processes together
    accumulate: int = 1  #: parts in which a process goes through its share of the batch, to save memory
    rate: float = 2e-4  #: learning rate of the generator (Adam)
    critic_rate: float = 2e-4  #: learning rate of the discriminators
    beta1: float = 0.5  #: Adam's β1
    beta2: float = 0.999  #: Adam's β2
    warmup: int = 100  #: steps over which the rates rise from 0
    decay: float = 0.5  #: last share of the steps over which the rates fall linearly to 0
    ema: float = 0.997  #: decay of the averaged weights that are saved
    clip: float = 20.0  #: largest norm of the generator's gradient; 0: no clipping
    flip: bool = True  #: mirror half of the samples
    zoom: float = 0.0  #: enlarge or shrink samples by up to this share
    log: int = 50  #: steps between rows of losses
    validate: int = 1000  #: steps between validations
    checkpoint: float = 180.0  #: seconds between checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "log", "validate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")
        for name in ("beta1", "beta2", "ema", "zoom"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is from 0 to less than 1, not {getattr(self, name)}")
        for name in ("rate", "critic_rate", "warmup", "decay", "clip", "checkpoint"):
            if not 0 <= getattr(self, name) < inf:
                raise ValueError(f"{name} is 0 or more, not {getattr(self, name)}")
        if self.batch % self.accumulate:
            raise ValueError(f"batch is a multiple of accumulate, and {self.batch} is none of {self.accumulate}")


@dataclass(frozen=True)
class PoseTraining:
    """The pose detector, trained first and then frozen."""

    network: PoseDetectorConfig = field(default_factory=PoseDetectorConfig)  #: its sizes
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    noise: float = 0.05  #: standard deviation of the noise on training images


@dataclass(frozen=True)
class ParserTraining:
    """The parser of photos that come without a map."""

    network: ParserConfig = field(default_factory=ParserConfig)  #: its sizes
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    overlap: float = 1.0  #: weight of 1 − mean IoU beside the cross entropy


@dataclass(frozen=True)
class SemanticTraining:
    """H_S on pseudo labels."""

    network: SemanticConfig = field(default_factory=SemanticConfig)  #: sizes of H_S
    critic: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(channels=11))  #: sizes of D_S
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    adversarial: float = 0.1  #: weight of D_S; 0: none
    nearest: int = 1  #: pseudo labels a map: the nearest in as many random halves of the data
    turned: int = 0  #: addition: and the nearest among people seen from another side
    same_clothes: float = 0.0  #: addition: how far sleeves and hems may differ, in bones; 0: the distance alone decides
    overlap: float = 0.0  #: addition: weight of 1 − mean IoU, by which thin and rare labels count as much as others
    own: float = 0.0  #: addition: share of samples whose label is the source's own map, seen in another crop
    back: float = 0.0  #: addition: share of samples that come back, from a map that H_S predicted, to the source's own

    def __post_init__(self) -> None:
        for name, share in (("own", self.own), ("back", self.back)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is from 0 to 1, not {share}")
        if min(self.nearest, self.turned) < 0 or self.nearest + self.turned < 1:
            raise ValueError("nearest and turned are not negative and not both 0")


@dataclass(frozen=True)
class AppearanceWeights:
    """Weights of H_A's losses. The defaults are the paper's recipe; additions are 0."""

    adversarial: float = 1.0  #: of the image discriminator
    face: float = 1.0  #: of the face discriminator
    pose: float = 700.0  #: MSE of the pose detector's heatmaps
    content: float = 0.03  #: MSE of features between the image that came back and the source
    style: float = 1.0  #: MSE of Gram matrices, region by region
    pixels: float = 0.0  #: addition: L1 of the second picture, fake A or the own view
    own_face: float = 0.0  #: addition: L1 and content of the second picture's face, enlarged
    paste: float = 0.0  #: addition: L1 to the label-aware paste where the source shows the pixel


@dataclass(frozen=True)
class EndToEnd:
    """The variant "e2e": H_A's losses reach H_S, which keeps its own."""

    rate: float = 0.1  #: learning rate of H_S, as a share of H_A's
    layout: float = 1.0  #: weight of H_S's cross entropy against the pseudo label
    overlap: float = 0.0  #: addition: weight of H_S's 1 − mean IoU against the pseudo label
    gradient: float = 1.0  #: how much of the gradient of H_A's losses reaches H_S


@dataclass(frozen=True)
class Growth:
    """Progressive growing of a two-level network: first the global network alone, then the local one fades in."""

    coarse: int = 0  #: steps of the global network alone
    fade: int = 0  #: steps in which the local network fades in while the global one is frozen; then all are trained

    def alpha(self, step: int) -> float:
        """How far the local network has faded in at ``step``: 0 to 1."""
        return min(1.0, max(0.0, (step + 1 - self.coarse) / max(self.fade, 1)))

    def coarse_is_frozen(self, step: int) -> bool:
        """Whether ``step`` trains the local network only."""
        return self.coarse <= step < self.coarse + self.fade


@dataclass(frozen=True)
class AppearanceTraining:
    """H_A: source → target pose and back."""

    variant: str = "ts-pred"  #: "baseline" without parsing maps, "ts-gt" with given ones, "ts-pred", "e2e"
    network: AppearanceConfig = field(default_factory=AppearanceConfig)  #: sizes of H_A
    critic: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)  #: sizes of the image discriminator
    face_critic: DiscriminatorConfig = field(
        default_factory=lambda: DiscriminatorConfig(channels=3, layers=2)
    )  #: of the face's
    face_size: int = 64  #: pixels of a face crop's side
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    growth: Growth = field(default_factory=Growth)  #: of a two-level network
    end_to_end: EndToEnd = field(default_factory=EndToEnd)  #: for the variant "e2e"
    weights: AppearanceWeights = field(default_factory=AppearanceWeights)  #: of the losses
    hold: bool = False  #: addition: pictures are held to the guide before losses see them, as they are in the end
    own_view: bool = False  #: addition: the second picture is another crop of A, painted from a part of A
    style_by_area: bool = False  #: addition: Gram matrices divided by the region's area
    style_stride: int = 1  #: addition: take every n-th feature pixel for the Gram matrices
    perceptual_shrink: int = 1  #: addition: content and style look at images so many times smaller
    anyone: float = 1.0  #: share of samples whose target map H_S predicts, in any pose; the rest use a pseudo label

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant is one of {', '.join(VARIANTS)}, not {self.variant}")
        if self.variant == "baseline" and (self.network.parsing or self.weights.paste):
            raise ValueError("the baseline has network.parsing = false and weights.paste = 0; --variant sets all three")


@dataclass(frozen=True)
class Preset:
    """Everything about one training."""

    pose: PoseTraining = field(default_factory=PoseTraining)  #: train-pose
    semantic: SemanticTraining = field(default_factory=SemanticTraining)  #: train-hs
    appearance: AppearanceTraining = field(default_factory=AppearanceTraining)  #: train-joint
    parser: ParserTraining = field(default_factory=ParserTraining)  #: train-parser


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return _names("presets")


def recipe_names() -> list[str]:
    """Names of the recipes that come with the package."""
    return _names("recipes")


def find_recipe(preset: str) -> str:
    """The recipe that a preset is meant for. Raises InputError if there is no such preset."""
    return str(_read("preset", preset)["recipe"])


def load_preset(name: str, settings: Iterable[str] = (), recipe: str | None = None) -> Preset:
    """A preset by name, with ``recipe`` or else its own, and ``key.path=value`` settings on top.

    Limits are looked at when all settings are in: those that belong together can be given in any order. Raises
    InputError for unknown names and keys.
    """
    values = _read("preset", name)
    recipe = recipe or values["recipe"]
    preset = Preset()
    for kind, chosen in (("preset", name), ("recipe", recipe)):
        values = _read(kind, chosen)
        values.pop("recipe", None)
        preset = merge_config(preset, values, f"{kind} {chosen}")
    given: dict[str, Any] = {}
    told = [setting.strip() for setting in settings]
    for setting in told:
        _overlay(given, _checked(preset, _parsed(setting), f"--set {setting}"))
    return _replaced(preset, given, lambda path: f"--set {', '.join(s for s in told if s.startswith(path))}")


def _names(folder: str) -> list[str]:
    entries = (resources.files("pgen.training") / folder).iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml"))


def _read(kind: str, name: str) -> dict[str, Any]:
    """The file of a "preset" or "recipe". Raises InputError if there is none of that name."""
    names = _names(f"{kind}s")
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise InputError(f"--{kind} {name}: no such {kind}; {hint}")
    return tomllib.loads((resources.files("pgen.training") / f"{kind}s" / f"{name}.toml").read_text("utf-8"))


def _parsed(setting: str) -> dict[str, Any]:
    key, equals, value = setting.partition("=")
    if not equals:
        raise InputError(f"--set {setting}: write it as key=value, for example appearance.schedule.steps=100")
    for text in (f"{key} = {value}", f'{key} = "{value}"'):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
    raise InputError(f"--set {setting}: not a key and a value")


def merge_config(config: Any, values: Mapping[str, Any], where: str) -> Any:
    """``config`` with the nested ``values`` put in. Raises InputError that names the nearest key, type or limit."""
    return _replaced(config, _checked(config, values, where), lambda path: where)


def _checked(config: Any, values: Mapping[str, Any], where: str, path: str = "") -> dict[str, Any]:
    """The nested ``values`` in the types that the fields of ``config`` have."""
    hints = get_type_hints(type(config))
    names = [f.name for f in fields(config)]
    result: dict[str, Any] = {}
    for key, value in values.items():
        full = f"{path}{key}"
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f"did you mean {path}{near[0]}?" if near else f"there are {', '.join(path + n for n in names)}"
            raise InputError(f"{where}: unknown key {full}; {hint}")
        current = getattr(config, key)
        if not is_dataclass(current):
            result[key] = _converted(value, hints[key], f"{where}: {full}")
        elif isinstance(value, Mapping):
            result[key] = _checked(current, value, where, f"{full}.")
        else:
            raise InputError(
                f"{where}: {full} is a group; set one of its keys, such as {full}.{fields(current)[0].name}"
            )
    return result


def _overlay(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put the nested values ``more`` into ``values``."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            _overlay(values.setdefault(key, {}), value)
        else:
            values[key] = value


def _replaced(config: Any, values: Mapping[str, Any], where: Callable[[str], str], path: str = "") -> Any:
    """``config`` with `_checked` values put in; ``where`` tells what was set below a path."""
    changes = {
        key: _replaced(getattr(config, key), value, where, f"{path}{key}.") if isinstance(value, Mapping) else value
        for key, value in values.items()
    }
    try:
        return replace(config, **changes)
    except ValueError as error:
        raise InputError(f"{where(path)}: {path.removesuffix('.')}: {error}") from None


def _converted(value: Any, kind: Any, what: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (int, float, str, bool):
        if type(value) is kind:
            return value
        raise InputError(f"{what} takes {kind.__name__}, not {value!r}")
    if isinstance(value, list) and all(type(v) is int for v in value):
        return tuple(value)
    raise InputError(f"{what} takes a list of whole numbers, not {value!r}")
