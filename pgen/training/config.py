"""What a training is made of: every field, its meaning and its default; presets, recipes, and settings on top.

A preset, ``presets/NAME.toml``, holds sizes and schedules and names the recipe that it is meant for. A recipe,
``recipes/NAME.toml``, holds losses, their weights and the additions to the paper: "paper" has none, "pgen" all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import resources
from math import inf
from typing import Any

from pgen.data.weights import LARGEST_FRAME
from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig
from pgen.models.discriminators import DiscriminatorConfig
from pgen.models.parser import ParserConfig
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.registry import FIELD_ALIASES
from pgen.models.semantic import SemanticConfig
from pgen.training.settings import Given, check_limits, flatten, parse_setting, replace_fields, suggest

#: The paper's ablation: no parsing at all; two stages with the true target map, or with H_S's; end to end.
VARIANTS = ("baseline", "ts-gt", "ts-pred", "e2e")

#: Where presets and recipes are.
FILES = resources.files("pgen.training")

#: The largest batch; and what a sample takes up, a photo of 256×256 with its map and heatmaps in float32.
MOST_SAMPLES, _BYTES_A_SAMPLE = 4096, 4 * 31 * 256**2
#: The most pseudo labels of a map.
MOST_NEAREST = 100


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    steps: int = 10_000  #: optimiser steps
    batch: int = 8  #: samples a step, of all processes together
    accumulate: int = 1  #: parts in which a process goes through its share of the batch, to save memory
    lr: float = 2e-4  #: learning rate of the generator (Adam)
    d_lr: float = 2e-4  #: learning rate of the discriminators
    beta1: float = 0.5  #: Adam's β1
    beta2: float = 0.999  #: Adam's β2
    warmup: int = 100  #: steps over which the learning rates rise from 0
    lr_decay: float = 0.5  #: last share of the steps over which the learning rates fall linearly to 0
    ema: float = 0.997  #: decay of the averaged weights that are saved
    grad_clip: float = 20.0  #: largest norm of the generator's gradient; 0: no clipping
    flip: bool = True  #: mirror half of the samples
    zoom: float = 0.0  #: enlarge or shrink samples by up to this share
    log_every: int = 50  #: steps between rows of losses
    validate_every: int = 1000  #: steps between validations
    checkpoint_seconds: float = 180.0  #: seconds between checkpoints

    def __post_init__(self) -> None:
        counts = "steps batch accumulate log_every validate_every"
        check_limits(self, (counts, 1, inf), ("lr d_lr warmup grad_clip checkpoint_seconds", 0, inf))
        check_limits(self, ("lr_decay", 0, 1))
        for name in ("beta1", "beta2", "ema", "zoom"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is from 0 to less than 1, not {getattr(self, name)}")
        if self.batch > MOST_SAMPLES:
            memory = self.batch * _BYTES_A_SAMPLE / 2**30
            raise ValueError(f"batch is at most {MOST_SAMPLES:,}, not {self.batch:,}: its photos take {memory:,.0f} GB")
        if self.batch % self.accumulate:
            raise ValueError(f"batch is a multiple of accumulate, and {self.batch} is none of {self.accumulate}")


@dataclass(frozen=True)
class PoseTraining:
    """The pose detector, trained first and then frozen."""

    network: PoseDetectorConfig = field(default_factory=PoseDetectorConfig)  #: its sizes
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    noise: float = 0.05  #: standard deviation of the noise on training images

    def __post_init__(self) -> None:
        check_limits(self, ("noise", 0, inf))


@dataclass(frozen=True)
class ParserTraining:
    """The parser of photos that come without a parsing map."""

    frame: tuple[int, ...] = ()  #: (height, width) trained at, if not the other networks'
    network: ParserConfig = field(default_factory=ParserConfig)  #: its sizes
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    small_steps: int = 0  #: addition: so many steps to begin with see two thirds of the frame's size: twice as fast
    soft_iou: float = 1.0  #: weight of 1 − mean IoU beside the cross entropy
    carried: float = 0.5  #: weight of both for things that are carried, where the network finds them
    estimated_weight: float = 1.0  #: weight of samples whose map is an estimate, beside 1 of the others
    tuned_lr_factor: float = 0.1  #: learning rate of the trunk's stages that are trained, as a share of the others'

    def __post_init__(self) -> None:
        check_limits(self, ("small_steps soft_iou carried estimated_weight tuned_lr_factor", 0, inf))


@dataclass(frozen=True)
class SemanticTraining:
    """H_S on pseudo labels."""

    network: SemanticConfig = field(default_factory=SemanticConfig)  #: sizes of H_S
    discriminator: DiscriminatorConfig = field(default_factory=partial(DiscriminatorConfig, 11))  #: sizes of D_S
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    adversarial: float = 0.1  #: weight of D_S; 0: none
    nearest: int = 1  #: pseudo labels a map: the nearest in as many random halves of the data
    other_facing: int = 0  #: addition: and so many more, the nearest among people seen from another side
    garment_tolerance: float = 0.0  #: addition: how far sleeves and hems may differ, in bones; 0: distance decides
    soft_iou: float = 0.0  #: addition: weight of 1 − mean IoU, by which thin and rare labels count as much as others
    estimated_weight: float = 1.0  #: weight of samples whose label's map is an estimate, beside 1 of the others
    self_pair_prob: float = 0.0  #: addition: share of samples whose label is the source's own map, in another crop
    back_translation_prob: float = 0.0  #: addition: share of samples from a predicted map back to the source's own
    gradient_checkpointing: bool = False  #: compute features again for the gradient, to save memory

    def __post_init__(self) -> None:
        check_limits(
            self,
            ("self_pair_prob back_translation_prob", 0, 1),
            ("adversarial soft_iou estimated_weight garment_tolerance", 0, inf),
        )
        if min(self.nearest, self.other_facing) < 0 or self.nearest + self.other_facing < 1:
            raise ValueError("nearest and other_facing are not negative and not both 0")
        if self.nearest + self.other_facing > MOST_NEAREST:
            raise ValueError(f"nearest and other_facing are together at most {MOST_NEAREST}")


@dataclass(frozen=True)
class EndToEnd:
    """The variant "e2e": H_A's losses reach H_S, which keeps its own."""

    lr_factor: float = 0.1  #: learning rate of H_S, as a share of H_A's
    gradient_scale: float = 1.0  #: how much of the gradient of H_A's losses reaches H_S
    only_where_doubted: bool = False  #: addition: it does where a parser sees another label in the picture than H_S

    def __post_init__(self) -> None:
        check_limits(self, ("lr_factor gradient_scale", 0, inf))


@dataclass(frozen=True)
class Growth:
    """Progressive growing of a two-level network: first the global network alone, then the local one fades in."""

    coarse_steps: int = 0  #: steps of the global network alone
    fade_in_steps: int = 0  #: steps in which the local network fades in while the global one is frozen; then all train

    def __post_init__(self) -> None:
        check_limits(self, ("coarse_steps fade_in_steps", 0, inf))

    def alpha(self, step: int) -> float:
        """How far the local network has faded in at ``step``: 0 to 1."""
        return min(1.0, max(0.0, (step + 1 - self.coarse_steps) / max(self.fade_in_steps, 1)))

    def is_coarse_frozen(self, step: int) -> bool:
        """Whether ``step`` trains the local network only."""
        return self.coarse_steps <= step < self.coarse_steps + self.fade_in_steps


def default_weights() -> dict[str, float]:
    """The paper's weights of the terms of H_A's objective; 0 for all others that a recipe knows."""
    of = {name: _read("recipe", name)["appearance"]["weights"] for name in list_names("recipe")}
    return {term: 0.0 for weights in of.values() for term in weights} | of["paper"]


@dataclass(frozen=True)
class AppearanceTraining:
    """H_A: source → target pose and back. The variant "baseline" has no parsing, nor what needs it."""

    variant: str = "ts-pred"  #: "baseline" without parsing maps, "ts-gt" with given ones, "ts-pred", "e2e"
    network: AppearanceConfig = field(default_factory=AppearanceConfig)  #: sizes of H_A
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)  #: sizes of the one of images
    face_discriminator: DiscriminatorConfig = field(
        default_factory=partial(DiscriminatorConfig, 3, layers=2)
    )  #: faces'
    face_size: int = 64  #: pixels of a face crop's side
    schedule: Schedule = field(default_factory=Schedule)  #: its training
    growth: Growth = field(default_factory=Growth)  #: of a two-level network
    end_to_end: EndToEnd = field(default_factory=EndToEnd)  #: for the variant "e2e"
    weights: dict[str, float] = field(default_factory=default_weights)  #: of the objective's terms; 0: not computed
    color_correction: bool = False  #: addition: losses see pictures with the guide's colors, as they are in the end
    self_reconstruction: bool = False  #: addition: the second picture is another crop of A, from a part of A
    style_by_area: bool = False  #: addition: Gram matrices divided by the region's area
    style_stride: int = 1  #: addition: take every n-th feature pixel for the Gram matrices
    perceptual_downscale: int = 1  #: addition: content and style look at images so many times smaller
    random_pose_prob: float = 0.5  #: share in any pose, with H_S's map; the rest, a pseudo label's, also teach H_S
    gradient_checkpointing: bool = False  #: compute features again for the gradient, to save memory

    def __post_init__(self) -> None:
        sizes = ("face_size", 16, 512), ("style_stride", 1, 64), ("perceptual_downscale", 1, 16)
        check_limits(self, *sizes, ("random_pose_prob", 0, 1))
        if self.variant not in VARIANTS:
            raise ValueError(f"variant is one of {', '.join(VARIANTS)}, not {self.variant}")
        if self.variant == "baseline":
            object.__setattr__(self, "network", replace(self.network, parsing=False))
            object.__setattr__(self, "weights", self.weights | {"warp_l1": 0.0, "parsed_map": 0.0})
        for term, weight in self.weights.items():
            if not 0 <= weight < inf:
                raise ValueError(f"weights.{term} is 0 or more, not {weight}")
        if not any(self.weights.values()):
            raise ValueError("weights are all 0: nothing would be learnt")


@dataclass(frozen=True)
class Preset:
    """Everything about the trainings."""

    frame: tuple[int, ...] = ()  #: (height, width) trained at, if not that of the data, which is scaled down
    pose: PoseTraining = field(default_factory=PoseTraining)  #: of the pose detector
    semantic: SemanticTraining = field(default_factory=SemanticTraining)  #: of H_S
    appearance: AppearanceTraining = field(default_factory=AppearanceTraining)  #: of H_A
    parser: ParserTraining = field(default_factory=ParserTraining)  #: of the parser

    def __post_init__(self) -> None:
        for frame in (self.frame, self.parser.frame):
            if len(frame) not in (0, 2) or not all(16 <= side <= LARGEST_FRAME for side in frame):
                sides = f"a height and a width of at least 16 and at most {LARGEST_FRAME:,}"
                raise ValueError(f"frame is {sides}, or empty, not {list(frame)}")


#: Names that fields had before, and their names of today, by group: parts of dotted paths.
_RENAMED = {
    "schedule": {"rate": "lr", "critic_rate": "d_lr", "decay": "lr_decay", "clip": "grad_clip"}
    | {"log": "log_every", "validate": "validate_every", "checkpoint": "checkpoint_seconds"},
    "parser": {"overlap": "soft_iou"},
    "semantic": {"critic": "discriminator", "turned": "other_facing", "same_clothes": "garment_tolerance"}
    | {"overlap": "soft_iou", "own": "self_pair_prob", "back": "back_translation_prob"},
    "appearance": {"critic": "discriminator", "face_critic": "face_discriminator", "hold": "color_correction"}
    | {"own_view": "self_reconstruction", "perceptual_shrink": "perceptual_downscale", "anyone": "random_pose_prob"}
    | {"end_to_end.layout": "weights.parsing_cross_entropy", "end_to_end.overlap": "weights.parsing_soft_iou"},
    "appearance.weights": {"face": "face_adversarial", "pixels": "recon_l1", "own_face": "face_recon"}
    | {"paste": "warp_l1"},
    "appearance.end_to_end": {"rate": "lr_factor", "gradient": "gradient_scale"},
    "appearance.growth": {"coarse": "coarse_steps", "fade": "fade_in_steps"},
} | {f"{role}.network": names for role, names in FIELD_ALIASES.items()}
ALIASES = {f"{group}.{old}": f"{group}.{new}" for group, names in _RENAMED.items() for old, new in names.items()}


def list_names(kind: str) -> list[str]:
    """Names of the files of a kind, "preset" or "recipe", that come with the package."""
    names = (file.name for file in (FILES / f"{kind}s").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def find_recipe(preset: str) -> str:
    """The recipe that a preset is meant for. Raises InputError if there is no such preset."""
    return str(_read("preset", preset)["recipe"])


def load_preset(
    name: str,
    settings: Iterable[str] = (),
    recipe: str | None = None,
    warn: Callable[[str], None] = lambda message: None,
) -> Preset:
    """A preset by name, with ``recipe`` or else its own, and settings ``"key.path=value"`` on top.

    Limits are looked at when all settings are in: those that belong together can be given in any order. ``warn`` is
    told of settings by names of before.

    Raises:
        InputError: an unknown name or key (with the nearest there is), another type, or a value beyond its limits.
    """
    recipe = recipe or find_recipe(name)
    given: dict[str, Given] = {}
    for option, chosen in (("preset", name), ("recipe", recipe)):
        for path, value in flatten(_read(option, chosen)):
            given[path] = Given(value, f"{option} {chosen}", option)
    del given["recipe"]
    return replace_fields(Preset(), given | read_settings(settings, warn))


def read_settings(settings: Iterable[str], warn: Callable[[str], None] = lambda message: None) -> dict[str, Given]:
    """Settings ``"key.path=value"`` by their paths; ``warn`` is told of names of before. Raises InputError."""
    given: dict[str, Given] = {}
    for setting in (text.strip() for text in settings):
        for path, value in flatten(parse_setting(setting)):
            now = path
            for old, new in ALIASES.items():
                now = f".{now}.".replace(f".{old}.", f".{new}.")[1:-1]
            if now != path:
                warn(f"{path} is now {now}")
            given[now] = Given(value, setting, "settings")
    return given


def _read(kind: str, name: str) -> dict[str, Any]:
    """The file of a "preset" or "recipe". Raises InputError if there is none of that name."""
    names = list_names(kind)
    if name not in names:
        raise InputError(f"{name}: no such {kind}; {suggest(name, names)}", option=kind)
    return tomllib.loads((FILES / f"{kind}s" / f"{name}.toml").read_text("utf-8"))
