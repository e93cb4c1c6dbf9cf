"""What a metric is: the contract of `Metric`, what it is computed from, and the registry of all of them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from pgen.body.masks import body_masks, field_masks, pose_mask_radius, pose_masks
from pgen.body.torso import complete_torso
from pgen.errors import InputError
from pgen.version import version

#: What must be known of pairs, and why a metric that needs it is not computed without.
NEEDS = {
    "poses": "the targets' poses are not known; give their keypoints, or a prepared data set",
    "parsing": "the targets' parsing maps are not known; give a prepared data set",
    "predicted parsing": "this method predicts no parsing maps",
}
_NO_TRUTH = "it compares with the true photo of each result, and there is none"
Need = Literal["poses", "parsing", "predicted parsing"]
Reference = Literal["test", "train"]
PathLike = str | os.PathLike[str]


class Metric(ABC):
    """A score: of each pair a row of numbers, whose sums over all pairs make the score and its interval."""

    protocol: str  #: how it is computed, in words; stands beside every value
    higher_is_better: bool
    needs: tuple[Need, ...] = ()  #: what must be known of the pairs
    needs_truth = True  #: whether it compares with the true photo; else any photo of the same person may be the target
    decimals = 3
    smallest = 1  #: side of the smallest images that it can compare, pixels
    note = ""  #: what readers have to know besides
    weights: Mapping[str, str] = {}  #: networks that it uses → hashes of their files
    libraries: tuple[str, ...] = ()  #: those whose versions matter
    heeds: tuple[str, ...] = ()  #: fields of `MetricOptions` that are about it
    rows_name = ""  #: what its rows are called, if other metrics have the same

    def __init__(self, name: str, options: MetricOptions) -> None:
        """Load what it needs. Raises `UnavailableError` if that is not to be had."""
        self.name, self.options = name, options

    @abstractmethod
    def rows(self, batch: Batch) -> Tensor:
        """A row of numbers a pair, (B, K), on the CPU; `mean_rows` makes those of a mean over pairs."""

    def score(self, sums: Tensor) -> Tensor:
        """The score (...) that sums of rows (..., K) make; NaN where it is not defined."""
        return ratio_of_sums(sums)

    @classmethod
    def create(cls, name: str, options: MetricOptions) -> list[Self]:
        """The metric, or one for each of several protocols."""
        return [cls(name, options)]

    @property
    def identity(self) -> str:
        """Tells its rows from all others, also those of other weights: by it they are kept."""
        used = [f"{library} {metadata.version(library)}" for library in self.libraries]
        return " ".join([self.rows_name or f"{self.name} ({self.protocol})", *self.weights.values(), *used])

    def versions(self) -> dict[str, str]:
        """Of pgen and the libraries that the score depends on."""
        return {"pgen": version(), **{name: metadata.version(name) for name in ("torch", *self.libraries)}}


def register(name: str, in_default: bool = True) -> Callable[[type[Metric]], type[Metric]]:
    """A decorator: the class of a metric goes by ``name``. ``in_default``: computed if no metrics are named."""

    def add(metric: type[Metric]) -> type[Metric]:
        METRICS[name] = metric
        if in_default:
            DEFAULT_METRICS.append(name)
        return metric

    return add


#: All metrics by name, in the order in which their scores are shown.
METRICS: dict[str, type[Metric]] = {}
DEFAULT_METRICS: list[str] = []


@dataclass
class Batch:
    """Results of one size beside the true photos; without such, beside photos of the same people."""

    generated: Tensor  #: uint8 (B, 3, H, W)
    target: Tensor  #: uint8 (B, 3, H, W)
    poses: Tensor  #: (B, 18, 2) of the targets, (x, y) in pixels, NaN where not known
    parsing: Tensor | None = None  #: true maps (B, H, W), label ids
    predicted_parsing: Tensor | None = None  #: the method's maps (B, H, W)
    planned_parsing: Tensor | None = None  #: maps (B, H, W) that results were painted into, else those of the targets

    def group_by_target(self) -> list[list[int]]:
        """The results that are compared with the same photo and pose, by their places in the batch."""
        groups: dict[bytes, list[int]] = {}
        for index, (image, pose) in enumerate(zip(self.target.numpy(), self.poses.numpy(), strict=True)):
            groups.setdefault(image.tobytes() + pose.tobytes(), []).append(index)
        return [*groups.values()]

    def field_mask(self) -> Tensor:
        """The masks of published scores, of the targets: (B, 1, H, W), 0 or 1."""
        return self._draw_masks(field_masks)

    def pose_mask(self) -> Tensor:
        """SPT's pose masks of the targets (B, 1, H, W), 0 or 1."""
        return self._draw_masks(lambda poses, size: pose_masks(poses, size, pose_mask_radius(size)))

    def body_mask(self) -> Tensor:
        """Body masks of the targets (B, 1, H, W), 0 or 1; torsos are completed where that is possible."""
        return self._draw_masks(lambda poses, size: body_masks(_complete_torsos(poses, size), size))

    def _draw_masks(self, draw: Callable[[Tensor, tuple[int, int]], Tensor]) -> Tensor:
        """What ``draw`` makes of the poses (N, 18, 2) and the size, each different target once: (B, 1, H, W), bytes."""
        groups = self.group_by_target()
        drawn = draw(self.poses[[group[0] for group in groups]], (self.target.shape[2], self.target.shape[3])).byte()
        masks = drawn.new_empty((len(self.poses), *drawn.shape[1:]))
        for mask, group in zip(drawn, groups, strict=True):
            masks[group] = mask
        return masks


def _complete_torsos(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """``poses`` (B, 18, 2) with both shoulders and hips, where these can be told from the rest."""
    completed = []
    for pose in poses.numpy():
        try:
            completed.append(complete_torso(pose, size)[0])
        except InputError:
            completed.append(pose)
    return torch.from_numpy(np.stack(completed))


@dataclass(frozen=True)
class MetricOptions:
    """Which scores are wanted, and where the weights for them are. Can be sent to other processes."""

    metrics: tuple[str, ...] | None = None  #: names of `METRICS`; None for the default ones
    protocols: tuple[str, ...] = ("legacy",)  #: of SSIM
    against: tuple[Reference, ...] = ("test",)  #: images that Fréchet distances are taken from
    detector: str | None = None  #: a weights file, or a name that `find_detector` knows
    parser: str = "pgen"  #: what finds the maps of results: one of `PARSING_ANNOTATORS`, or NAME:FILE
    inception_weights: PathLike | None = None
    torchvision_inception_weights: PathLike | None = None
    alexnet_weights: PathLike | None = None
    lite0_weights: PathLike | None = None
    fetch: bool = False  #: whether weights may be downloaded
    has_truth: bool = True  #: whether targets are the true photos of results, and not just any of the same people
    device: str = "cpu"


class UnavailableError(InputError):
    """A metric cannot be computed here; the message says why and what would help."""


def check_options(options: MetricOptions) -> None:
    """Raises `InputError` for options that are about other metrics than those that are wanted."""
    wanted = DEFAULT_METRICS if options.metrics is None else options.metrics
    heeded = {option for name in wanted for option in METRICS[name].heeds}
    for name in sorted({option for metric in METRICS.values() for option in metric.heeds} - heeded):
        if getattr(options, name) != getattr(MetricOptions(), name):
            about = ", ".join(metric for metric, its in METRICS.items() if name in its.heeds)
            raise InputError(f"this is about {about}; compute one of them, or leave this out", option=name)


@lru_cache(maxsize=8)
def create_metrics(options: MetricOptions, given: frozenset[Need]) -> tuple[list[Metric], dict[str, str]]:
    """The metrics that ``options`` ask for, with their networks, and by name why others cannot be computed.

    ``given`` is what is known about the pairs. Without true photos the usual metrics are all that need none. Raises
    `InputError` for unknown names and damaged weights.
    """
    without_truth = [name for name, metric in METRICS.items() if not metric.needs_truth]
    usual = DEFAULT_METRICS if options.has_truth else without_truth
    names = check_metrics(usual if options.metrics is None else options.metrics)
    metrics: list[Metric] = []
    missing: dict[str, str] = {}
    for name, metric in METRICS.items():
        if name in names:
            try:
                if metric.needs_truth and not options.has_truth:
                    raise UnavailableError(_NO_TRUTH)
                lacking = [need for need in metric.needs if need not in given]
                if lacking:
                    raise UnavailableError(NEEDS[lacking[0]])
                metrics += metric.create(name, options)
            except UnavailableError as error:
                missing[name] = str(error)
    return metrics, missing


def check_metrics(names: Iterable[str]) -> list[str]:
    """``names``, of metrics. Raises `InputError` if one of them is none."""
    for name in names:
        if name not in METRICS:
            raise InputError(f"there is no metric {name!r}; choose one of {', '.join(METRICS)}", option="metrics")
    return list(names)


def ratio_of_sums(sums: Tensor) -> Tensor:
    """(..., 2), numerators and denominators → their ratios (...); NaN for 0 / 0."""
    return sums[..., 0] / sums[..., 1]


def mean_rows(values: Tensor) -> Tensor:
    """Scores (B,) of single pairs as rows (B, 2) whose sums make their mean; what is not finite does not count."""
    finite = values.isfinite()
    return torch.stack([values.where(finite, 0), finite], 1).double()
