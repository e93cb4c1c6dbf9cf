"""The scores that are asked for, as far as they can be computed: protocols, and the networks and data they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from torch import nn

from pgen.body.masks import HEAD, LIMB, MARGIN
from pgen.data.weights import bundled_path
from pgen.metrics.bootstrap import Statistic, mean_iou, ratio_of_sums
from pgen.metrics.compute import (
    Batch,
    Features,
    FigureSsim,
    Joints,
    MaskSsim,
    Measure,
    Ssim,
    distances,
    parsing_rows,
    per_pair,
)
from pgen.metrics.feature_networks import file_hash, load_feature_network
from pgen.metrics.inception import POOL, UnavailableError
from pgen.metrics.joint_error import ALPHA, joint_error_sums, pckh_counts
from pgen.metrics.pixels import l1, psnr
from pgen.metrics.pose_finder import detector_for
from pgen.metrics.scores import METRICS, Measurement, Need, Options, Score, check_metrics
from pgen.metrics.ssim_protocols import ssim_protocol
from pgen.version import version

OWN_NOTE = "a stand-in that works offline; not comparable with published figures"

OWN_PROTOCOL = "a protocol of pgen's own"

#: What the body mask is, for readers of a score.
BODY_MASK = (
    "capsules along the limbs, torso and head disc, as wide as a clothed body: of torso lengths limbs "
    f"{2 * (LIMB + MARGIN):.2f} wide, head {2 * (HEAD + MARGIN):.2f}"
)

NO_POSES = "the targets' poses are not known; give --keypoints, or a store with --data"


@dataclass(frozen=True)
class Suite:
    """The scores that can be computed, their measurements, and why the others cannot."""

    scores: tuple[Score, ...]
    measurements: Mapping[str, Measurement]
    missing: Mapping[str, str]  #: why the others cannot, by the metric's name


@lru_cache(maxsize=8)
def suite(options: Options, given: frozenset[Need]) -> Suite:
    """What ``options`` ask for, as far as it is possible with what is ``given`` about the pairs.

    Loads networks. Raises `InputError` for unknown names and damaged weights.
    """
    check_metrics(options.metrics)
    maker = _Maker(options, given)
    for metric in METRICS:
        if metric in options.metrics:
            try:
                maker.add(metric)
            except UnavailableError as error:
                maker.missing[metric] = str(error)
    return Suite(tuple(maker.scores), maker.measurements, maker.missing)


class _Maker:
    """Makes scores and the measurements they need, and keeps why others are missing."""

    def __init__(self, options: Options, given: frozenset[Need]) -> None:
        self.options, self.given = options, given
        self.scores: list[Score] = []
        self.measurements: dict[str, Measurement] = {}
        self.missing: dict[str, str] = {}

    def add(self, metric: str) -> None:
        """Add the scores of ``metric``. Raises `UnavailableError` if they cannot be computed."""
        if metric in ("ssim", "mask-ssim", "body-mask-ssim", "figure-ssim"):
            self._ssim(metric)
        elif metric == "psnr":
            self._pairs(metric, "8-bit RGB, in dB; identical images, which have none, left out", True, per_pair(psnr))
        elif metric == "l1":
            self._pairs(metric, "mean absolute difference of RGB in [0, 1]", False, per_pair(l1))
        elif metric in ("is", "mask-is", "fid"):
            self._inception(metric, "tensorflow", "Inception-v3 of 2015-12-05, TensorFlow port, unbiased logits")
        elif metric in ("is-torchvision", "fid-torchvision"):
            self._inception(metric, "torchvision", "Inception-v3 of torchvision")
        elif metric == "lpips":
            self._lpips()
        elif metric in ("pckh", "joint-error"):
            self._joints(metric)
        elif metric == "miou":
            self._miou()
        elif metric == "vgg-relu2-distance":
            network = self._network("vgg distance")
            text = "LPIPS's formula on relu1_1, relu1_2, relu2_1 of VGG-16, all alike"
            self._pairs(metric, text, False, distances(network, self.options.device), OWN_NOTE, _vgg())
        else:
            self._stand_in(metric)

    def _ssim(self, metric: str) -> None:
        for name in self.options.protocols:
            how = ssim_protocol(name)
            if metric == "ssim":
                self._pairs(f"ssim-{name}", how.text, True, Ssim(name))
            elif metric == "mask-ssim":
                self._require("poses", NO_POSES)
                text = f"both images × pose mask of the target, radius 4 at 256 pixels; {how.text}"
                self._pairs(f"mask-ssim-{name}", text, True, MaskSsim(name, Batch.mask))
            elif metric == "body-mask-ssim":
                self._require("poses", NO_POSES)
                text = f"both images × body mask of the target ({BODY_MASK}), zeros included; {how.text}"
                self._pairs(f"body-mask-ssim-{name}", text, True, MaskSsim(name, Batch.body_mask), OWN_PROTOCOL)
            else:
                self._require("parsing", "the targets' parsing maps are not known; give a store with --data")
                text = f"mean of the SSIM map over the true figure; {how.text}"
                self._pairs(f"figure-ssim-{name}", text, True, FigureSsim(name), OWN_PROTOCOL)

    def _lpips(self) -> None:
        network = self._network("lpips", self.options.alexnet)
        self._pairs(
            "lpips", "lpips 0.1 on AlexNet, RGB in [−1, 1], images as they are", False,
            distances(network, self.options.device), weights={"AlexNet": file_hash(network.path)}, libraries=("lpips",),
        )  # fmt: skip

    def _joints(self, metric: str) -> None:
        if self.options.detector is None:
            raise UnavailableError(
                "no pose detector; give --detector mediapipe, or a weights file that `pgen train-pose` wrote"
            )
        self._require("poses", NO_POSES)
        detector, weights, libraries = detector_for(self.options.detector, self.options.device)
        if metric == "pckh":
            text = f"α = {ALPHA}, head size = longer side of the box of nose, eyes and ears; undetected = wrong"
            self._pairs(metric, text, True, Joints(detector, pckh_counts), "", weights, libraries)
        else:
            text = "mean distance of detected joints from the target pose, in torso lengths; undetected left out"
            self._pairs(metric, text, False, Joints(detector, joint_error_sums), "", weights, libraries)

    def _miou(self) -> None:
        self._require("parsing", "the targets' parsing maps are not known; give a store with --data")
        self._require("made parsing", "this system makes no parsing maps")
        text = "of sums over all pairs, mean over the labels that occur"
        self._pairs("miou", text, True, parsing_rows, statistic=mean_iou)

    def _inception(self, metric: str, kind: str, text: str) -> None:
        options = self.options
        masked = metric == "mask-is"
        if masked:
            self._require("poses", NO_POSES)
        path = options.inception if kind == "tensorflow" else options.torchvision_inception
        libraries = ("torch-fidelity",) if kind == "tensorflow" else ("torchvision",)
        network = self._network(kind, path)
        weights = {"Inception-v3": file_hash(network.path)}
        identity = _identity(f"{kind} inception{' masked' * masked}", weights)
        self.measurements[identity] = Measurement(identity, Features(network, options.device, masked))
        if metric.startswith("fid"):
            for reference in options.against:
                self._frechet(f"{metric}-{reference}", text, identity, (0, POOL), reference, "", weights, libraries)
            return
        protocol = f"10 splits in list order, mean ± sd; {text}" + "; image × pose mask" * masked
        self.scores.append(
            Score(metric, protocol, identity, True, "inception score", at=(POOL, None), weights=weights,
                  libraries=libraries)
        )  # fmt: skip

    def _stand_in(self, metric: str) -> None:
        """A Fréchet distance of features of a network that is at hand offline."""
        if metric == "lite0-frechet":
            network = self._network("lite0", self.options.lite0)
            weights = {"EfficientNet-Lite0": file_hash(network.path)}
            text = "pooled features of EfficientNet-Lite0, images scaled to 224×224"
        else:
            network = self._network("vgg features")
            weights, text = _vgg(), "mean features of relu1_1, relu1_2, relu2_1 of VGG-16"
        identity = _identity(metric, weights)
        self.measurements[identity] = Measurement(identity, Features(network, self.options.device))
        for reference in self.options.against:
            self._frechet(f"{metric}-{reference}", text, identity, (0, None), reference, OWN_NOTE, weights, ())

    def _frechet(
        self,
        name: str,
        text: str,
        identity: str,
        at: tuple[int, int | None],
        reference: Literal["test", "train"],
        note: str,
        weights: Mapping[str, str],
        libraries: tuple[str, ...],
    ) -> None:
        images = "true target images of the pairs" if reference == "test" else "training images"
        protocol = f"Fréchet distance from the {images}; {text}"
        score = Score(name, protocol, identity, False, "frechet", at=at, reference=reference, note=note,
                      weights=weights, libraries=libraries)  # fmt: skip
        self.scores.append(score)

    def _pairs(
        self,
        name: str,
        protocol: str,
        higher: bool,
        measure: Measure,
        note: str = "",
        weights: Mapping[str, str] | None = None,
        libraries: tuple[str, ...] = (),
        statistic: Statistic = ratio_of_sums,
    ) -> None:
        weights = weights or {}
        identity = _identity(name, weights, libraries)
        self.measurements[identity] = Measurement(identity, measure)
        self.scores.append(
            Score(name, protocol, identity, higher, statistic=statistic, note=note, weights=weights,
                  libraries=libraries)
        )  # fmt: skip

    def _network(self, kind: str, path: Path | None = None) -> nn.Module:
        return load_feature_network(kind, path, self.options.fetch, self.options.device)

    def _require(self, need: Need, otherwise: str) -> None:
        if need not in self.given:
            raise UnavailableError(otherwise)


def _identity(name: str, weights: Mapping[str, str], libraries: Sequence[str] = ()) -> str:
    used = (f"{library} {metadata.version(library)}" for library in libraries)
    return " ".join([name, version(), *weights.values(), *used])


def _vgg() -> dict[str, str]:
    return {"VGG-16": file_hash(bundled_path("vgg16_relu2_1.safetensors"))}
