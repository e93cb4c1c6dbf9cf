"""Pairs without truth: any photos, each person in any poses, with the map that H_S predicts as the one asked for.

They are kept as a store in the networks' frame, so that methods and metrics see no difference: in the place of the true
photo stands the one that shows the person.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.crop import Letterbox
from pgen.body.transfer import Transfer
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.registry import POSE_ANNOTATORS
from pgen.data.example import Example
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.inputs import split_name
from pgen.data.readers.tree import find_photos, no_photos_error
from pgen.data.store import Store
from pgen.data.store_writer import StoreWriter
from pgen.data.weights import describe, find_weights
from pgen.errors import InputError
from pgen.evaluation.photos import Pair, StorePhotos, open_once
from pgen.inference.inputs import PoseLike, read_target
from pgen.inference.networks import FramedPerson
from pgen.inference.person import Person
from pgen.inference.predictor import BATCH, Predictor, load
from pgen.inference.rendering.framing import move_into
from pgen.inference.rendering.heads import plan_head
from pgen.inference.rendering.settings import Resolution
from pgen.inference.targets import frame_targets
from pgen.metrics.networks import hash_file
from pgen.runtime.parallel_map import parallel_map
from pgen.runtime.progress import Progress

#: Targets if none are named: bundled poses that show a face.
POSES = ("walk", "arms-up", "hands-on-hips")

#: How many times the networks' frame results are scored at that have the photo's own resolution.
_ENLARGED = 2
_FEW = 8  # photos for which starting another process is worth it
_NAMES = 3  # of photos, in a message


class UnpairedPhotos(StorePhotos):
    """Photos of people, and the same again for every pose that they are asked to take, with that pose and its map."""

    has_truth = False

    def __init__(self, path: Path, where: str, folder: tempfile.TemporaryDirectory[str] | None = None) -> None:
        """``folder``, in which ``path`` lies, is there as long as this is."""
        super().__init__(path)
        self.where, self._folder = where, folder

    def __reduce__(self) -> tuple[object, ...]:
        return open_once, (UnpairedPhotos, self.store.path, self.where)


@dataclass(frozen=True)
class Source:
    """A photo to be read."""

    spec: str  #: a path, or ``FILE.h5:NAME``
    name: str  #: what it is called in reports
    person: str  #: who it shows


def list_sources(data: Path | None, photos: Sequence[Path]) -> list[Source]:
    """The images of a store that are for testing, or all if none are; or those of files and folders.

    Raises `InputError` if there are none, or both are given.
    """
    if (data is None) == (not photos):
        raise InputError("give those who are put into other poses: photos, or a prepared data set", option="photos")
    if data is not None:
        with Store(data) as store:
            indices = store.indices("test") if "test" in store.splits else store.indices()
            chosen = [(store.names[index], store.persons[index]) for index in indices]
        return [Source(f"{data}:{name}", name, person) for name, person in chosen]
    found: list[Source] = []
    for path in photos:
        files = find_photos(path) if path.is_dir() else {path.name: path}
        if not files:
            raise no_photos_error(path)
        found += [Source(str(file), name, str(file)) for name, file in files.items()]
    return found


def choose_size(data: Path | None, frame: tuple[int, int], resolution: Resolution) -> tuple[int, int]:
    """At which size (height, width) results are scored: the networks' frame, or one that shows more of photos."""
    if resolution == "network":
        return frame
    if data is None:
        return _ENLARGED * frame[0], _ENLARGED * frame[1]
    with Store(data) as store:
        return store.size


@dataclass(frozen=True)
class Planner:
    """What finds poses and maps of photos, and plans those that are asked for. Can be sent to other processes."""

    weights: Path  #: of H_S
    content: str  #: a hash of them
    device: str
    pose_annotator: str
    parser: str

    @classmethod
    def choose(cls, weights: Sequence[str], device: str, detector: str, parser: str) -> Planner:
        """Maps are planned by those of ``weights``, paths or NAME=PATH, that first hold H_S, else by the bundled ones.

        What finds joints and maps of results finds those of photos.
        """
        paths = [find_weights(split_name(given)[1])[0] for given in weights]
        holds = [path for path in paths if "semantic" in describe(path)["networks"]]
        pose = detector if detector.partition(":")[0] in POSE_ANNOTATORS else "mediapipe"
        chosen = holds[0] if holds else find_weights(None)[0]
        return cls(chosen, hash_file(chosen), device, pose, parser)

    @property
    def frame(self) -> tuple[int, int]:
        """The networks' frame (height, width)."""
        height, width = describe(self.weights)["frame"]
        return height, width

    def annotators(self) -> Annotators:
        """What finds poses and maps of photos; loaded when it is needed."""
        return Annotators(self.pose_annotator, self.parser)

    def open(self) -> Predictor:
        """The networks, loaded once by each process."""
        return _open_predictor(self)


@lru_cache(maxsize=1)
def _open_predictor(planner: Planner) -> Predictor:
    return load(planner.weights, planner.device, planner.annotators())


def prepare_pairs(
    sources: Sequence[Source],
    poses: Sequence[PoseLike],
    planner: Planner,
    size: tuple[int, int],
    workers: int,
    warn: Callable[[str], None],
    progress: Progress,
) -> tuple[UnpairedPhotos, list[Pair]]:
    """Everybody in ``sources`` with each of ``poses``, which take on their bodies, at ``size`` (height, width).

    Poses and maps of photos are estimated, by ``workers`` processes. A photo that shows nobody is warned of and left
    out. Raises `InputError` if all do, or a pose cannot be read.
    """
    targets = [read_target(pose, planner.annotators()) for pose in poses]
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "unpaired.h5"
    refused: list[str] = []
    pairs: list[Pair] = []
    names: set[str] = set()
    with StoreWriter(path, size, source="photos") as writer, progress("photos", len(sources)) as advance:
        work = ((planner, source, targets, size) for source in sources)
        for made in parallel_map(_make_examples, work, min(workers, len(sources) // _FEW + 1)):
            if isinstance(made, InputError):
                refused.append(str(made))
            else:
                named = [replace(example, name=_take_name(example.name, names)) for example in made]
                for example in named:
                    writer.add(example)
                pairs += [Pair(named[0].name, example.name) for example in named[1:]]
            advance()
    if not pairs:
        raise InputError(f"nobody can be put into other poses: {refused[0]}", option="photos")
    if refused:
        warn(f"{len(refused)} photos are left out: {'; '.join(refused[:_NAMES])}{'; …' * (len(refused) > _NAMES)}")
    listed = ", ".join(dict.fromkeys(target.name for target in targets))
    return UnpairedPhotos(path, f"{len(sources) - len(refused)} photos, each in {listed}", folder), pairs


def _make_examples(
    planner: Planner, source: Source, poses: Sequence[LoadedPose], size: tuple[int, int]
) -> list[Example] | InputError:
    """The person, then once for each pose, with the map that H_S predicts; or why not."""
    predictor = planner.open()
    try:
        return list(_plan_poses(predictor, predictor.person(source.spec), source, poses, size))
    except InputError as error:
        return error


def _plan_poses(
    predictor: Predictor, person: Person, source: Source, poses: Sequence[LoadedPose], size: tuple[int, int]
) -> Iterator[Example]:
    framed, fit = predictor.networks.frame_person(person), Letterbox.of(person.crop.size, size)
    image, own, labels = fit.image(person.image), fit.pose(person.pose), fit.parsing(person.parsing)
    carried = None if person.carried is None else fit.parsing(person.carried.astype(np.uint8))
    yield Example(source.name, image, labels, own, source.person, "test", carried=carried)
    targets = frame_targets(person, framed.fit, poses, None, "each", predictor.annotators)
    asked = [_place_pose(person, framed.fit.pose_back(target.pose), target.is_bundled) for target in targets]
    for target, pose, map_ in zip(targets, asked, _predict_maps(predictor, framed, asked), strict=True):
        name, labels = f"{source.name} in {target.name}", fit.parsing(framed.fit.parsing_back(map_))
        yield Example(name, image, labels, fit.pose(pose), source.person, "test", is_estimated=True)


def _place_pose(person: Person, pose: NDArray[np.float32], is_bundled: bool) -> NDArray[np.float32]:
    """What is asked for with ``pose`` (18, 2), in pixels of the part in use: within it, the head as it will be.

    The renderer would do so by itself, but then methods without it would be asked for something else.
    """
    moved, _ = move_into(pose, person.crop.size, person.pose)
    return plan_head(person.pose, moved, "auto", is_bundled).pose


def _predict_maps(
    predictor: Predictor, framed: FramedPerson, asked_poses: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.uint8]]:
    """H_S's maps (h, w) in the networks' frame for poses in pixels of the part of the photo in use."""
    maps: list[NDArray[np.uint8]] = []
    for start in range(0, len(asked_poses), BATCH):
        poses = np.stack([framed.fit.pose(pose) for pose in asked_poses[start : start + BATCH]])
        asked = torch.from_numpy(poses).to(predictor.device)
        transfer = Transfer(framed.batch.poses.expand(len(asked), -1, -1), asked, predictor.frame)
        maps += [*predictor.networks.predict_maps(framed.batch, transfer).byte().cpu().numpy()]
    return maps


def _take_name(name: str, names: set[str]) -> str:
    """``name``, or, if it is taken, the same with a number."""
    number, free = 1, name
    while free in names:
        number += 1
        free = f"{name} ({number})"
    names.add(free)
    return free
