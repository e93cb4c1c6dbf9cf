"""Target poses and maps, as given, in the networks' frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import Letterbox
from pgen.body.retarget import retarget_motion
from pgen.data.annotators.choose import Annotators
from pgen.data.formats.keypoints import LoadedPose
from pgen.errors import InputError
from pgen.inference.inputs import ParsingLike, PoseLike, complete_pose, fit_parsing, read_target
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
        choices = ", ".join(map(repr, get_args(Retarget)))
        raise InputError(f"retarget {retarget!r} is unknown; choose one of {choices}", option="retarget")
    given_poses = _list_items(poses)
    given_maps = [None] * len(given_poses) if parsings is None else _list_items(parsings)
    if len(given_maps) != len(given_poses):
        counts = f"{len(given_poses)} poses and {len(given_maps)} parsing maps"
        raise InputError(f"there are {counts}; give one map, or None, for each pose", option="parsing")
    targets = []
    loaded = [read_target(pose, annotators) for pose in given_poses]
    for index, pose in enumerate(loaded):
        if pose.frame is None:  # it is in pixels of the person's photo
            loaded[index] = replace(pose, pose=pose.pose - person.crop.corner, frame=person.crop.size)
    completed = [complete_pose(pose, pose.frame or person.crop.size) for pose in loaded]
    retargeted: Sequence[NDArray[np.float32] | None] = [None] * len(loaded)
    if retarget == "motion":
        retargeted = retarget_motion([joints for joints, _ in completed], person.pose)
    elif retarget == "each":
        retargeted = [retarget_motion([joints], person.pose)[0] for joints, _ in completed]
    for pose, (joints, warnings), moved, given in zip(loaded, completed, retargeted, given_maps, strict=True):
        pose_fit = Letterbox.of(pose.frame or fit.original, fit.frame)
        framed = pose_fit.pose(joints) if moved is None else fit.pose(moved)
        parsing = None
        if given is not None:
            labels, _ = fit_parsing(given, [(pose.name, pose_fit.original), (person.name, fit.original)])
            parsing = Letterbox.of((labels.shape[0], labels.shape[1]), fit.frame).parsing(labels)
        targets.append(Target(pose.name, framed, parsing, (*pose.doubts, *warnings)))
    return targets


def _list_items(given: Any) -> list[Any]:
    """What was given, each; one pose or map alone, such as a name, is one and not its letters or rows."""
    is_one = isinstance(given, str | bytes | os.PathLike | LoadedPose | Image.Image)
    return [given] if is_one or (isinstance(given, np.ndarray) and given.ndim == 2) else list(given)
