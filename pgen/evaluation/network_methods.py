"""What the networks of a weights file generate, and the paste into the maps that they predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pgen.body.batch import to_pictures
from pgen.body.transfer import Transfer
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import PoseAnnotator
from pgen.data.annotators.seen_people import load_seen_people
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.inputs import split_name
from pgen.data.weights import describe, find_weights
from pgen.errors import InputError
from pgen.evaluation.methods import BASELINES, Method, check_pose
from pgen.evaluation.photos import Pair, Photo, Photos
from pgen.inference.networks import FramedPerson
from pgen.inference.person import Person
from pgen.inference.predictor import BATCH, Predictor, load
from pgen.inference.rendering.settings import Resolution
from pgen.inference.targets import Target, frame_targets
from pgen.metrics.networks import hash_file


class NetworksMethod(Method):
    """The networks of a weights file, which generate each result from the source photo and the target pose."""

    needs_source = True

    def __init__(
        self,
        name: str,
        weights: Path,
        device: str = "cpu",
        true_maps: bool = False,
        resolution: Resolution = "network",
    ) -> None:
        """``true_maps``: H_A paints into the target's true map, also where the weights hold an H_S that predicts one.

        Without H_S it does so anyway, unless it is a baseline that knows no parsing. ``resolution`` is that of
        `pgen.inference.rendering.settings.Rendering`.
        """
        networks = describe(weights)["networks"]
        if "appearance" not in networks:
            raise InputError(f"{weights} holds no appearance generator (H_A); choose other weights", option="weights")
        knows_parsing = networks["appearance"].get("parsing", True)
        self.name, self.weights, self.device, self.resolution = name, weights, device, resolution
        self.true_maps = knows_parsing and (true_maps or "semantic" not in networks)
        self.predicts_parsing = self.paints_into_map = "semantic" in networks and not self.true_maps
        self.hash = hash_file(weights)
        self.about: Mapping[str, str] = {
            "weights": str(weights),
            "hash": self.hash,
            "maps": "true" if self.true_maps else "predicted" if self.predicts_parsing else "none",
            "resolution": f"the {resolution}'s",
        }
        # The last source, and maps that H_S has predicted of it: pastes into them need not ask again.
        self._source: Photo | None = None
        self._maps: dict[str, Tensor] = {}

    def digest(self, pair: Pair) -> str:
        return f"networks {self.hash} {self.true_maps} {self.resolution}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        (found,) = self.predict_many([pair], source, [target])
        if isinstance(found, InputError):
            raise found
        return found

    def predict_many(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo]
    ) -> list[Photo | InputError]:
        work = self._render if self.resolution == "photo" else self._paint
        return work(pairs, source, targets)

    def predict_maps(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo]
    ) -> list[Photo | InputError]:
        """The true photos, each with the map that H_S predicts in place of its own."""
        return self._paint(pairs, source, targets, paint=False)

    def _render(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo]
    ) -> list[Photo | InputError]:
        """Results as they are rendered for users, at the size of the photo."""
        predictor, person = self._read_person(pairs[0].source, source)
        found: list[Photo | InputError] = []
        for pair, target in zip(pairs, targets, strict=True):
            try:
                maps = [target.parsing] if self.true_maps else None
                pose = self._read_pose(pair, target)
                (one,) = predictor.generate_many(person, [pose], maps, "none", resolution="photo")
                found.append(Photo(one.image, parsing=one.parsing))
            except InputError as error:
                found.append(error)
        return found

    def _read_person(self, name: str | None, source: Photo | None) -> tuple[Predictor, Person]:
        source = check_pose(source, name)
        if source is not self._source:
            self._source, self._maps = source, {}
        predictor = _load_predictor(self.weights, self.device, self.hash)
        person = predictor.person(source.image, source.pose, source.parsing, crop=False)
        carried = None if source.carried is None else source.carried > 0
        return predictor, replace(person, carried=carried)

    def _read_pose(self, pair: Pair, target: Photo) -> LoadedPose:
        size = (target.image.shape[0], target.image.shape[1])
        return LoadedPose(check_pose(target, pair.target).pose, size, pair.target)  # type: ignore[arg-type]

    def _paint(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo], paint: bool = True
    ) -> list[Photo | InputError]:
        """Results of the networks' frame, at the size of the photo; the true photos in their place if not ``paint``."""
        predictor, person = self._read_person(pairs[0].source, source)
        framed = predictor.networks.frame_person(person)
        found: list[Photo | InputError] = [InputError("")] * len(pairs)
        asked: list[tuple[int, Target]] = []
        for index, (pair, target) in enumerate(zip(pairs, targets, strict=True)):
            try:
                maps = [target.parsing if self.true_maps else None]
                pose = self._read_pose(pair, target)
                (one,) = frame_targets(person, framed.fit, [pose], maps, "none", predictor.annotators)
                asked.append((index, one))
            except InputError as error:
                found[index] = error
        for start in range(0, len(asked), BATCH):
            some = asked[start : start + BATCH]
            images, labels = self._generate(predictor, framed, [one for _, one in some], paint)
            pictures = None if images is None else to_pictures(images)
            for k, (index, _) in enumerate(some):
                image = targets[index].image if pictures is None else framed.fit.image_back(pictures[k])
                found[index] = Photo(image, parsing=framed.fit.parsing_back(labels[k].byte().cpu().numpy()))
        return found

    def _generate(
        self, predictor: Predictor, framed: FramedPerson, targets: Sequence[Target], paint: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Images (N, 3, h, w), if they are to be painted, and maps (N, h, w) of one person in several poses."""
        networks, one = predictor.networks, framed.batch
        poses = torch.from_numpy(np.stack([target.pose for target in targets])).to(predictor.device)
        transfer = Transfer(one.poses.expand(len(targets), -1, -1), poses, predictor.frame)
        if self.true_maps:
            labels = torch.from_numpy(np.stack([target.parsing for target in targets])).to(predictor.device).long()  # type: ignore[misc]
        else:
            if any(target.name not in self._maps for target in targets):
                predicted = networks.predict_maps(one, transfer)
                self._maps |= {target.name: map_ for target, map_ in zip(targets, predicted, strict=True)}
            labels = torch.stack([self._maps[target.name] for target in targets])
        return networks.paint(one, transfer, labels) if paint else None, labels


class PredictedLabelPaste(Method):
    """The paste into the map that the H_S of a weights file predicts: what its H_A has to beat."""

    name, needs_source, predicts_parsing, paints_into_map = "label-paste-predicted", True, True, True

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
        (found,) = self.predict_many([pair], source, [target])
        if isinstance(found, InputError):
            raise found
        return found

    def predict_many(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo]
    ) -> list[Photo | InputError]:
        maps = self.networks.predict_maps(pairs, source, targets)
        results: list[Photo | InputError] = []
        for pair, target, found in zip(pairs, targets, maps, strict=True):
            if isinstance(found, Photo):
                pasted = BASELINES["label-paste"].predict(pair, source, replace(target, parsing=found.parsing))
                found = replace(pasted, parsing=found.parsing)
            results.append(found)
        return results


def choose_methods(
    weights: Sequence[str],
    baselines: Sequence[str],
    maps: Sequence[str],
    photos: Photos,
    device: str,
    resolution: Resolution = "network",
) -> list[Method]:
    """Networks with each kind of ``maps``, "predicted" and "true", that they can have, then baselines.

    ``weights`` are weights files, folders of runs or "bundled", each as NAME=PATH if it should be called otherwise.
    Raises `InputError` if something is unknown or needs what the photos do not have.
    """
    if not photos.has_parsing and (weights or any("label-paste" in name for name in baselines)):
        raise InputError("networks and label-paste need parsing maps of the photos: give a data set", option="data")
    networks: list[NetworksMethod] = []
    for given in weights:
        name, rest = split_name(given)
        path, _ = find_weights(rest)
        name = name or (path.parent.name if path.name == "weights.safetensors" else Path(rest).stem)
        made = [NetworksMethod(name, path, device, kind == "true", resolution) for kind in maps]
        kinds = {one.true_maps: one for one in made}
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
    return load(weights, device, _SharedAnnotators(), precision="fp32")  # scores are the same on every machine


class _SharedAnnotators(Annotators):
    """Those whom metrics have found in a source need not be looked for when it is rendered."""

    def pose_annotator(self) -> PoseAnnotator:
        return load_seen_people("mediapipe")
