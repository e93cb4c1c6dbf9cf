"""What can be measured, by name, and what a score consists of; `pgen.metrics.registry` makes those asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from pgen.errors import InputError
from pgen.metrics.bootstrap import Statistic, ratio_of_sums
from pgen.metrics.compute import Measure
from pgen.version import version

#: The metrics in the order in which they are shown.
METRICS = (
    "ssim", "mask-ssim", "body-mask-ssim", "figure-ssim", "psnr", "l1", "is", "mask-is", "fid", "lpips", "pckh",
    "joint-error", "miou", "is-torchvision", "fid-torchvision", "lite0-frechet", "vgg-relu2-distance",
    "vgg-relu2-frechet",
)  # fmt: skip

#: Those that are computed if none are named: all but the large network with weights of another kind.
USUAL = tuple(name for name in METRICS if not name.endswith("-torchvision"))

Need = Literal["poses", "parsing", "made parsing"]


@dataclass(frozen=True)
class Measurement:
    """What is measured of each pair: rows (B, K). ``identity`` tells it, its weights and its version from any other."""

    identity: str
    measure: Measure


@dataclass(frozen=True)
class Score:
    """How the rows of a measurement become a score."""

    name: str
    protocol: str
    measurement: str  #: its identity
    higher: bool  #: whether higher is better
    kind: Literal["pairs", "inception score", "frechet"] = "pairs"
    statistic: Statistic = ratio_of_sums
    at: tuple[int, int | None] = (0, None)  #: the columns it is made of, from and up to
    reference: Literal["test", "train"] | None = None  #: the images that a Fréchet distance is taken from
    note: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)  #: what networks were used, and the hashes of their files
    libraries: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        """Of pgen and the libraries that the score depends on."""
        return {"pgen": version(), **{name: metadata.version(name) for name in ("torch", *self.libraries)}}


@dataclass(frozen=True)
class Options:
    """Which scores are wanted, and where the weights for them are. Can be sent to other processes."""

    metrics: tuple[str, ...] = USUAL
    protocols: tuple[str, ...] = ("legacy",)
    against: tuple[Literal["test", "train"], ...] = ("test",)  #: images that Fréchet distances are taken from
    detector: str | None = None  #: a weights file, or a name that `detector_for` knows
    inception: Path | None = None
    torchvision_inception: Path | None = None
    alexnet: Path | None = None
    lite0: Path | None = None
    fetch: bool = False
    device: str = "cpu"


def check_metrics(names: Iterable[str]) -> None:
    """Raises `InputError` if one of ``names`` is no metric."""
    for name in names:
        if name not in METRICS:
            raise InputError(f"--metrics {name}: there is none of that name; choose of {', '.join(METRICS)}")
