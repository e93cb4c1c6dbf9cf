"""Target poses and maps, as given, in the networks' frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import Letterbox, has_same_shape
from pgen.body.retarget import retarget_motion
from pgen.data.annotators.choose import Annotators
from pgen.data.formats.keypoints import LoadedPose
from pgen.errors import InputError
from pgen.inference.inputs import (
    ParsingLike,
    PoseLike,
    complete_pose,
    load_parsing,
    read_target,
    resize_parsing,
)
from pgen.inference.person import Person

#: How target poses take on the body of the source: each by itself, all as one motion of one person, or not at all.
Retarget = Literal["each", "motion", "none"]


@dataclass(frozen=True)
class Target:
    """A target pose, and map if one was given, in the networks' frame."""

    name: str
    pose: NDArray[np.float32]  #: (18, 2), with both shoulders and both hips
    parsing: NDArray[np.uint8] | None  #: (h, w); None: to be predicted
    warnings: tuple[str, ...]  #: what had to be made up, or is doubtful


def frame_targets(
    person: Person,
    fit: Letterbox,
    poses: Iterable[PoseLike] | PoseLike,
    parsings: Iterable[ParsingLike | None] | None,
    retarget: Retarget,
    annotators: Annotators,
) -> list[Target]:
    """Targets for ``person``, who lies in the networks' frame as ``fit`` says; see `Predictor.generate_many`."""
    if retarget not in get_args(Retarget):
        raise InputError(f"retarget is {', '.join(get_args(Retarget))}, not {retarget!r}", option="retarget")
    given_poses = _list_items(poses)
    given_maps = [None] * len(given_poses) if parsings is None else _list_items(parsings)
    if len(given_maps) != len(given_poses):
        counts = f"{len(given_poses)} poses and {len(given_maps)} parsing maps"
        raise InputError(f"there are {counts}; give one map, or None, for each pose", option="parsing")
    loaded = [_in_photo(read_target(pose, annotators), person) for pose in given_poses]
    completed = [complete_pose(pose, size) for pose, size in loaded]
    retargeted: Sequence[NDArray[np.float32] | None] = [None] * len(loaded)
    if retarget == "motion":
        retargeted = retarget_motion([pose for pose, _ in completed], person.pose)
    elif retarget == "each":
        retargeted = [retarget_motion([pose], person.pose)[0] for pose, _ in completed]
    targets = []
    for (pose, size), (joints, warnings), moved, parsing in zip(loaded, completed, retargeted, given_maps, strict=True):
        pose_fit = Letterbox.of(size, fit.frame)
        framed = pose_fit.pose(joints) if moved is None else fit.pose(moved)
        labels = None if parsing is None else _frame_map(parsing, [(pose.name, pose_fit), (person.name, fit)])
        targets.append(Target(pose.name, framed, labels, (*pose.doubts, *warnings)))
    return targets


def _list_items(given: Any) -> list[Any]:
    """What was given, each; one pose or map alone, such as a name, is one and not its letters or rows."""
    is_one = isinstance(given, str | bytes | os.PathLike | LoadedPose | Image.Image)
    return [given] if is_one or (isinstance(given, np.ndarray) and given.ndim == 2) else list(given)


def _in_photo(pose: LoadedPose, person: Person) -> tuple[LoadedPose, tuple[int, int]]:
    """A pose and its frame; one that is not known is the photo of ``person``, and the pose comes to its crop."""
    if pose.frame is not None:
        return pose, pose.frame
    return replace(pose, pose=pose.pose - person.crop.corner), person.crop.size


def _frame_map(parsing: ParsingLike, photos: Sequence[tuple[str, Letterbox]]) -> NDArray[np.uint8]:
    """A given map in the networks' frame; it may have the shape of any of ``photos``, name and fit each."""
    labels, what = load_parsing(parsing)
    for _, fit in photos:
        if has_same_shape(labels.shape, fit.original):
            return fit.parsing(resize_parsing(labels, fit.original))
    shapes = " nor that of ".join(f"{name} ({fit.original[0]}x{fit.original[1]})" for name, fit in photos)
    raise InputError(
        f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width): neither the shape of {shapes}; give "
        "the map of one of them",
        option="parsing",
    )
