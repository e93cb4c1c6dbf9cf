"""What is evaluated: results in files, the networks of a weights file, and baselines without any network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pgen.body.batch import from_pictures, to_pictures
from pgen.body.part_paste import paste_by_part
from pgen.body.torso import complete_torso
from pgen.body.transfer import Transfer
from pgen.data.formats.images import read_image
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.weights import describe, find_weights
from pgen.errors import InputError
from pgen.evaluation.layouts import Layout, cut_output
from pgen.evaluation.photos import Pair, Photo, Photos
from pgen.inference.predictor import Predictor, load
from pgen.metrics.networks import hash_file
from pgen.version import version


class Method(Protocol):
    """What generates a result for a pair. Can be sent to other processes."""

    name: str
    needs_source: bool
    predicts_parsing: bool
    about: Mapping[str, str]  #: what else readers should know, such as the hash of its weights

    def digest(self, pair: Pair) -> str:
        """A hash of what the result depends on, but for the photos. Raises `InputError` if there is no result."""

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        """The result, with its map if the method predicts maps. Raises `InputError` if it cannot be had."""


class FilesMethod:
    """Results in the files of a folder."""

    needs_source, predicts_parsing = False, False

    def __init__(self, name: str, folder: Path, layout: Layout) -> None:
        self.name, self.folder, self.layout = name, folder, layout
        self.about: Mapping[str, str] = {
            "results": str(folder),
            "layout": f"{layout.name}, panel {layout.output + 1} of {layout.panels}",
        }

    def digest(self, pair: Pair) -> str:
        return f"{hash_file(self._path(pair), 'a result')} {self.layout.panels} {self.layout.output}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        return Photo(cut_output(read_image(self._path(pair)), self.layout))

    def _path(self, pair: Pair) -> Path:
        if pair.file is None:
            raise InputError("there is no file of this result")
        return self.folder / pair.file


class NetworksMethod:
    """The networks of a weights file, which generate each result from the source photo and the target pose."""

    needs_source = True

    def __init__(self, name: str, weights: Path, device: str = "cpu", true_maps: bool = False) -> None:
        """``true_maps``: H_A paints into the target's true map, also where the weights hold an H_S that predicts one.

        Without H_S it does so anyway, unless it is a baseline that knows no parsing.
        """
        networks = describe(weights)["networks"]
        if "appearance" not in networks:
            raise InputError(f"{weights} holds no appearance generator (H_A); choose other weights", option="weights")
        knows_parsing = networks["appearance"].get("parsing", True)
        self.name, self.weights, self.device = name, weights, device
        self.true_maps = knows_parsing and (true_maps or "semantic" not in networks)
        self.predicts_parsing = "semantic" in networks and not self.true_maps
        self.hash = hash_file(weights)
        self.about: Mapping[str, str] = {
            "weights": str(weights),
            "hash": self.hash,
            "maps": "true" if self.true_maps else "predicted" if self.predicts_parsing else "none",
        }

    def digest(self, pair: Pair) -> str:
        return f"networks {self.hash} {self.true_maps} {version()}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        source, frame = _check_pose(source, pair.source), target.image.shape[:2]
        predictor = _load_predictor(self.weights, self.device, self.hash)
        person = predictor.person(source.image, source.pose, source.parsing, crop=False)
        pose = LoadedPose(_check_pose(target, pair.target).pose, (frame[0], frame[1]), pair.target)  # type: ignore[arg-type]
        parsing = target.parsing if self.true_maps else None
        result = predictor.generate(person, pose, parsing, retarget="none")
        return Photo(result.image, parsing=result.parsing)


@dataclass
class Baseline:
    """What needs nothing but the photos and their annotations."""

    name: str
    about: Mapping[str, str]
    paste: Callable[[Photo, Photo], Photo]  #: source, target → result
    needs: tuple[str, ...] = ()  #: of source and target: "pose", "parsing"
    predicts_parsing: bool = False
    needs_source: bool = True

    def digest(self, pair: Pair) -> str:
        return f"{self.name} {version()}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        if source is None:
            raise InputError("its source photo is not known")
        for photo, name in ((source, pair.source), (target, pair.target)):
            if "pose" in self.needs:
                _check_pose(photo, name)
            if "parsing" in self.needs and photo.parsing is None:
                raise InputError(f"the parsing map of {name} is not known")
        return self.paste(source, target)


def _copy_source(source: Photo, target: Photo) -> Photo:
    return source


def _paste_parts(source: Photo, target: Photo) -> Photo:
    images, transfer = _plan_transfer(source, target)
    return Photo(to_pictures(paste_by_part(images, transfer))[0])


def _paste_labels(source: Photo, target: Photo) -> Photo:
    images, transfer = _plan_transfer(source, target)
    maps = [torch.tensor(one.parsing)[None].long() for one in (source, target)]
    return Photo(to_pictures(transfer.paste(images, *maps).image)[0])


#: A new one is a function from source and target photo to the result, and an entry here.
BASELINES: Mapping[str, Baseline] = {
    one.name: one
    for one in (
        Baseline("copy-source", {"baseline": "the source photo, unchanged"}, _copy_source, predicts_parsing=True),
        Baseline(
            "affine-paste", {"baseline": "the source's ten parts, carried by an affine each"}, _paste_parts, ("pose",)
        ),
        Baseline(
            "label-paste", {"baseline": "the source's pixels where labels agree, in the target's true map"},
            _paste_labels, ("pose", "parsing"),
        ),
    )
}  # fmt: skip


class PredictedLabelPaste:
    """The paste into the map that the H_S of a weights file predicts: what its H_A has to beat."""

    name, needs_source, predicts_parsing = "label-paste-predicted", True, True

    def __init__(self, networks: NetworksMethod) -> None:
        """Raises `InputError` if ``networks`` predict no maps."""
        if not networks.predicts_parsing:
            problem = f"{self.name}: {networks.weights} predicts no maps"
            raise InputError(f"{problem}; choose weights with H_S", option="weights")
        self.networks = networks
        self.about: Mapping[str, str] = {
            "baseline": "the source's pixels where labels agree, in the predicted map",
            "maps": str(networks.weights),
        }

    def digest(self, pair: Pair) -> str:
        return f"{self.name} {self.networks.digest(pair)}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        parsing = self.networks.predict(pair, source, target).parsing
        pasted = BASELINES["label-paste"].predict(pair, source, replace(target, parsing=parsing))
        return replace(pasted, parsing=parsing)


def choose_methods(
    weights: Sequence[str], baselines: Sequence[str], maps: Sequence[str], photos: Photos, device: str
) -> list[Method]:
    """Networks with each kind of ``maps``, "predicted" and "true", that they can have, then baselines.

    ``weights`` are weights files, folders of runs or "bundled", each as NAME=PATH if it should be called otherwise.
    Raises `InputError` if something is unknown or needs what the photos do not have.
    """
    if not photos.has_parsing and (weights or any("label-paste" in name for name in baselines)):
        raise InputError("networks and label-paste need parsing maps of the photos: give a data set", option="data")
    networks: list[NetworksMethod] = []
    for given in weights:
        name, _, rest = given.rpartition("=")
        path, _ = find_weights(rest)
        name = name or (path.parent.name if path.name == "weights.safetensors" else Path(rest).stem)
        kinds = {one.true_maps: one for one in (NetworksMethod(name, path, device, kind == "true") for kind in maps)}
        if len(kinds) == 2:
            kinds[True].name = f"{name} with true maps"
        networks += kinds.values()
    methods: list[Method] = [*networks]
    for name in baselines:
        if name == PredictedLabelPaste.name:
            if not networks:
                raise InputError(f"{name}: give the weights that predict the maps", option="weights")
            methods.append(PredictedLabelPaste(next((one for one in networks if one.predicts_parsing), networks[0])))
        elif name in BASELINES:
            methods.append(BASELINES[name])
        else:
            known = ", ".join([*BASELINES, PredictedLabelPaste.name])
            raise InputError(f"there is no baseline {name!r}; choose one of {known}", option="baselines")
    return methods


@lru_cache(maxsize=2)  # kept by each process, as results are generated one by one; until the file changes
def _load_predictor(weights: Path, device: str, content: str) -> Predictor:
    return load(weights, device)


def _check_pose(photo: Photo | None, name: str | None) -> Photo:
    """``photo``, whose pose is known. Raises `InputError` if it is not."""
    if photo is None or photo.pose is None or not np.isfinite(photo.pose).any():
        raise InputError(f"the pose of {name or 'its source photo'} is not known")
    return photo


def _plan_transfer(source: Photo, target: Photo) -> tuple[Tensor, Transfer]:
    """The source image (1, 3, H, W) in [−1, 1], and the way to the target pose."""
    if source.image.shape != target.image.shape:
        raise InputError("source and target are of different sizes")
    size = (source.image.shape[0], source.image.shape[1])
    first, second = (torch.from_numpy(complete_torso(one.pose, size)[0])[None] for one in (source, target))  # type: ignore[arg-type]
    return from_pictures(source.image[None]), Transfer(first, second, size)
