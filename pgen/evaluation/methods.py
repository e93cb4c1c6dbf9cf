"""What is evaluated: results in files, the networks of a weights file, and baselines without any network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.batch import from_pictures, to_pictures
from pgen.body.part_paste import paste_by_part
from pgen.body.torso import complete_torso
from pgen.body.transfer import Transfer
from pgen.data.formats.images import read_image
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.inputs import read_bytes
from pgen.data.weights import describe
from pgen.errors import InputError
from pgen.evaluation.layouts import Layout, output_of
from pgen.evaluation.photos import Photo
from pgen.inference.predictor import Predictor, load
from pgen.version import version


@dataclass(frozen=True)
class Prediction:
    """A result: the image, and the map it was painted into if the system makes maps."""

    image: NDArray[np.uint8]  #: (H, W, 3)
    parsing: NDArray[np.uint8] | None = None  #: (H, W)


@dataclass(frozen=True)
class Pair:
    """One of the pairs to be scored."""

    source: str | None  #: name of the source photo, None where only the target is known
    target: str
    file: str | None = None  #: name of the result's file, for results in files


class Method(Protocol):
    """What makes a result of a pair. Can be sent to other processes."""

    name: str
    needs_source: bool
    makes_maps: bool
    about: Mapping[str, str]  #: what else to tell about it, such as the hash of its weights

    def digest(self, pair: Pair) -> str:
        """A hash of what the result depends on, but for the photos. Raises `InputError` if there is no result."""

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        """The result. Raises `InputError` if it cannot be had."""


class FilesMethod:
    """Results in the files of a folder."""

    needs_source, makes_maps = False, False

    def __init__(self, name: str, folder: Path, layout: Layout) -> None:
        self.name, self.folder, self.layout = name, folder, layout
        self.about: Mapping[str, str] = {
            "results": str(folder),
            "layout": f"{layout.name}, panel {layout.output + 1} of {layout.panels}",
        }

    def digest(self, pair: Pair) -> str:
        content = read_bytes(self._path(pair), "a result")
        return f"{_hash(content)} {self.layout.panels} {self.layout.output}"

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        return Prediction(output_of(read_image(self._path(pair)), self.layout))

    def _path(self, pair: Pair) -> Path:
        if pair.file is None:
            raise InputError("there is no file of this result")
        return self.folder / pair.file


class NetworksMethod:
    """The networks of a weights file, which make each result from the source photo and the target pose."""

    needs_source = True

    def __init__(self, name: str, weights: Path, device: str = "cpu", true_maps: bool = False) -> None:
        """``true_maps``: H_A paints into the target's true map, also where the weights hold an H_S that predicts one.

        Without H_S it does so anyway, unless it is a baseline that knows no parsing.
        """
        held = describe(weights)["networks"]
        if "appearance" not in held:
            raise InputError(f"{weights}: the weights hold no appearance generator (H_A); choose other --weights")
        knows_parsing = held.get("appearance", {}).get("parsing", True)
        self.name, self.weights, self.device = name, weights, device
        self.true_maps = knows_parsing and (true_maps or "semantic" not in held)
        self.makes_maps = "semantic" in held and not self.true_maps
        self.hash = _hash(read_bytes(weights, "weights"))
        self.about: Mapping[str, str] = {
            "weights": str(weights),
            "hash": self.hash,
            "maps": "true" if self.true_maps else "predicted" if self.makes_maps else "none",
        }

    def digest(self, pair: Pair) -> str:
        return f"networks {self.hash} {self.true_maps} {version()}"

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        source, frame = _annotated(source, pair.source), target.image.shape[:2]
        generator = _generator(self.weights, self.device)
        person = generator.person(source.image, source.pose, source.parsing)
        pose = LoadedPose(_annotated(target, pair.target).pose, (frame[0], frame[1]), pair.target)  # type: ignore[arg-type]
        result = person.generate(pose, target.parsing if self.true_maps else None)
        return Prediction(result.image, result.parsing)


class CopySource:
    """The source photo, unchanged: what every system has to beat."""

    name, needs_source, makes_maps = "copy-source", True, True
    about: Mapping[str, str] = {"baseline": "the source photo, unchanged"}

    def digest(self, pair: Pair) -> str:
        return self.name

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        if source is None:
            raise InputError("its source photo is not known")
        return Prediction(source.image, source.parsing)


class AffinePaste:
    """The source's parts carried to the target pose, one affine a part, without network or parsing map."""

    name, needs_source, makes_maps = "affine-paste", True, False
    about: Mapping[str, str] = {"baseline": "the source's ten parts, carried by an affine each"}

    def digest(self, pair: Pair) -> str:
        return f"{self.name} {version()}"

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        images, transfer = _transfer(pair, source, target)
        return Prediction(_as_image(paste_by_part(images, transfer)))


class LabelPaste:
    """The source's pixels carried into the target's true map where labels agree; the rest in each label's mean."""

    name, needs_source, makes_maps = "label-paste", True, False
    about: Mapping[str, str] = {"baseline": "the source's pixels where labels agree, in the target's true map"}

    def digest(self, pair: Pair) -> str:
        return f"{self.name} {version()}"

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        images, transfer = _transfer(pair, source, target)
        if source is None or source.parsing is None or target.parsing is None:
            raise InputError("its parsing maps are not known")
        maps = [torch.from_numpy(one.parsing)[None].long() for one in (source, target)]
        return Prediction(_as_image(transfer.paste(images, *maps).image))


class PredictedLabelPaste:
    """The same paste into the map that the H_S of a weights file predicts: what its H_A has to beat."""

    name, needs_source, makes_maps = "label-paste-predicted", True, True

    def __init__(self, networks: NetworksMethod) -> None:
        """Raises `InputError` if ``networks`` predict no maps."""
        if not networks.makes_maps:
            raise InputError(
                f"--baseline {self.name}: {networks.weights} predicts no maps; name weights with H_S first"
            )
        self.networks = networks
        self.about: Mapping[str, str] = {
            "baseline": "the source's pixels where labels agree, in the predicted map",
            "maps": str(networks.weights),
        }

    def digest(self, pair: Pair) -> str:
        return f"{self.name} {self.networks.digest(pair)}"

    def make(self, pair: Pair, source: Photo | None, target: Photo) -> Prediction:
        layout = self.networks.make(pair, source, target).parsing
        images, transfer = _transfer(pair, source, target)
        maps = [torch.tensor(ids)[None].long() for ids in (_annotated(source, pair.source).parsing, layout)]
        return Prediction(_as_image(transfer.paste(images, *maps).image), layout)


#: Those that need nothing but the photos and their annotations.
BASELINES: Mapping[str, type[CopySource] | type[AffinePaste] | type[LabelPaste]] = {
    one.name: one for one in (CopySource, AffinePaste, LabelPaste)
}


def find_baseline(name: str) -> Method:
    """The baseline called ``name``, of those that need no networks. Raises `InputError` if there is none."""
    if name not in BASELINES:
        names = ", ".join([*BASELINES, PredictedLabelPaste.name])
        raise InputError(f"--baseline {name}: there is none of that name; choose of {names}")
    return BASELINES[name]()


@lru_cache(maxsize=2)
def _generator(weights: Path, device: str) -> Predictor:
    """Kept by each process, as results are made one by one."""
    return load(weights, device)


def _annotated(photo: Photo | None, name: str | None) -> Photo:
    """``photo``, whose pose is known. Raises `InputError` if it is not."""
    if photo is None or photo.pose is None or not np.isfinite(photo.pose).any():
        raise InputError(f"the pose of {name or 'its source photo'} is not known")
    return photo


def _transfer(pair: Pair, source: Photo | None, target: Photo) -> tuple[Tensor, Transfer]:
    """The source image (1, 3, H, W) in [−1, 1], and the way to the target pose."""
    poses = []
    for photo, name in ((source, pair.source), (target, pair.target)):
        known = _annotated(photo, name)
        size = (known.image.shape[0], known.image.shape[1])
        assert known.pose is not None
        poses.append(torch.from_numpy(complete_torso(known.pose, size)[0])[None])
    assert source is not None
    if source.image.shape != target.image.shape:
        raise InputError("source and target are of different sizes")
    images = from_pictures(source.image[None])
    return images, Transfer(poses[0], poses[1], (images.shape[2], images.shape[3]))


def _as_image(images: Tensor) -> NDArray[np.uint8]:
    """The only one of ``images`` (1, 3, H, W) in [−1, 1], as uint8 (H, W, 3)."""
    return to_pictures(images)[0]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
