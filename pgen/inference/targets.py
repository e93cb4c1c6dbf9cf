"""Target poses and maps: as given, also in videos, animations and folders of frames, and in the networks' frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import Letterbox
from pgen.body.hidden_legs import add_standing_legs, place_hidden_legs
from pgen.body.joints import JOINTS
from pgen.body.motion import smooth_motion
from pgen.body.retarget import retarget_motion
from pgen.body.torso import list_missing_limbs, list_missing_torso
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.formats.moving_pictures import FRAME_SECONDS, is_moving, read_frames
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_sequences import PoseFrames, follow_person, is_pose_motion, read_pose_frames
from pgen.data.inputs import split_number
from pgen.data.named_poses import find_named_pose, load_named_poses, split_pose_spec
from pgen.data.readers.person_checks import DOUBTFUL, find_outside, joints_on_body
from pgen.data.scan import PHOTO_SUFFIXES, scan_folder
from pgen.errors import InputError
from pgen.inference.inputs import PoseLike, complete_pose, read_target
from pgen.inference.parsing_maps import ParsingLike, fit_parsing, load_parsing
from pgen.inference.person import Person
from pgen.runtime.progress import Progress

#: How target poses take on the body of the source: each by itself, all as one motion of one person, or not at all.
Retarget = Literal["each", "motion", "none"]

# How long a pose that is no frame of a motion is shown in an animation.
_STILL_SECONDS = 0.8


@dataclass(frozen=True)
class PoseSequence:
    """Poses that follow each other."""

    poses: list[LoadedPose]
    seconds: list[float]  #: how long each is shown
    notes: tuple[str, ...]  #: what they were estimated by, and what was left out
    is_motion: bool = True  #: whether they are one motion of one person


def read_targets(specs: Sequence[PoseLike], annotators: Annotators, most: int, progress: Progress) -> PoseSequence:
    """The poses of all ``specs``; of a video, animation or folder of frames, ``most`` frames at the most.

    Raises `InputError` if one cannot be read.
    """
    found = []
    for spec in specs:
        path, number = None, None
        if isinstance(spec, str | os.PathLike) and find_named_pose((named := split_number(spec))[0]) is None:
            name, number = named
            file, entry = split_pose_spec(name)
            path = file if entry is None and (is_moving(file) or is_pose_motion(file)) else None
        if path is None:
            pose = read_target(spec, annotators)
            found.append(PoseSequence([pose], [_STILL_SECONDS], pose.notes, False))
        else:
            with progress(f"poses of {path.name}", most) as advance:
                found.append(_read_motion(path, annotators, most, advance, number))
    poses, seconds, notes = (
        [item for sequence in found for item in getattr(sequence, name)] for name in ("poses", "seconds", "notes")
    )
    return PoseSequence(poses, seconds, tuple(notes), len(found) == 1 and found[0].is_motion)


def _read_motion(
    path: Path, annotators: Annotators, most: int, advance: Callable[[], None], number: int | None = None
) -> PoseSequence:
    """The poses of the person, of that ``number``, in a video, an animation or a folder of frames, smoothed over time.

    Of more than ``most`` frames, as many are taken, evenly chosen. Frames where nobody is found are filled in where the
    gap is short, and left out otherwise. ``advance`` is called after each frame. Raises `InputError` if the file cannot
    be read, frames differ in size, or nobody is found in any.
    """
    files = read_pose_frames(path, most)
    if files is not None:
        return _read_pose_motion(path, files, annotators, annotators.person if number is None else number)
    frames = read_frames(path, most)
    height, width = frames[0].image.shape[:2]
    other = next((frame.name for frame in frames if frame.image.shape[:2] != (height, width)), None)
    if other is not None:
        remedy = "give frames of one size, or each photo as a pose of its own"
        raise InputError(f"{path}: {other} has another size than {frames[0].name}; {remedy}")
    found: list[NDArray[np.float32] | None] = [None] * len(frames)
    for index, frame in enumerate(frames):
        with suppress(NobodyFoundError):
            found[index] = annotators.pose(frame.image, frame.name, number).person.pose
        advance()
    if all(pose is None for pose in found):
        raise NobodyFoundError(f"{path}: no person was found in any of {len(frames)} frames; give one that shows one")
    names = [f"{path.stem}-{frame.name}" if path.is_dir() else frame.name for frame in frames]
    notes = [f"{path.name}: poses of {len(frames)} frames estimated by {annotators.pose_annotator().name}, smoothed"]
    notes += scan_folder(path, PHOTO_SUFFIXES, deep=False).notes if path.is_dir() else ()
    return _smooth(path, found, names, [frame.seconds for frame in frames], (height, width), notes)


def _read_pose_motion(path: Path, files: PoseFrames, annotators: Annotators, number: int | None) -> PoseSequence:
    """The same of pose files."""
    found = follow_person(files, path, number, annotators.min_confidence)
    if all(pose is None for pose in found):
        whom = "no person" if number is None else f"no person {number}"
        raise NobodyFoundError(f"{path}: {whom} in any of {len(found)} frames; give one that shows one")
    seconds = [FRAME_SECONDS * files.count / len(found)] * len(found)
    several = max(len(its.poses) for its in files.people if its is not None)
    notes = [f"{path.name}: poses of {len(found)} of {files.count} frames, smoothed"]
    if several > 1 and number is None:
        notes.append(f"{path.name}: up to {several} people a frame, one is followed, who is large and sure at first")
    return _smooth(path, found, [f"{path.stem}-{name}" for name in files.names], seconds, files.size, notes)


def _smooth(
    path: Path,
    found: Sequence[NDArray[np.float32] | None],
    names: Sequence[str],
    seconds: Sequence[float],
    size: tuple[int, int] | None,
    notes: Sequence[str],
) -> PoseSequence:
    """A motion of what was found in frames of ``size``, without those that lack shoulders or hips."""
    poses, kept = [], []
    for name, shown, pose in zip(names, seconds, smooth_motion(found), strict=True):
        if not list_missing_torso(pose):
            poses.append(LoadedPose(pose, size, name))
            kept.append(shown)
    if not poses:
        raise InputError(f"{path}: no frame shows both shoulders and both hips; give one that does")
    if len(poses) < len(found):
        left_out = f"{path.name}: {len(found) - len(poses)} frames without shoulders and hips were left out"
        notes = [*notes, left_out]
    return PoseSequence(poses, kept, tuple(notes))


@dataclass(frozen=True)
class Target:
    """A target pose, and map if one was given, in the networks' frame."""

    name: str
    pose: NDArray[np.float32]  #: (18, 2), with both shoulders and both hips
    parsing: NDArray[np.uint8] | None  #: (h, w); None: to be predicted
    warnings: tuple[str, ...]  #: what had to be made up, or is doubtful
    is_bundled: bool = False  #: whether it is one of the poses that come with the package
    beyond: tuple[str, ...] = ()  #: joints that lie outside of the frame, if they are several


def frame_targets(
    person: Person,
    fit: Letterbox,
    poses: Iterable[PoseLike] | PoseLike,
    parsings: Iterable[ParsingLike | None] | None,
    retarget: Retarget,
    annotators: Annotators,
    parsing_scheme: str | None = None,
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
    bundled = load_named_poses()
    loaded = [read_target(pose, annotators) for pose in given_poses]
    of_photo = [pose.frame is None for pose in loaded]  # those are in pixels of the person's photo
    for index, pose in enumerate(loaded):
        if of_photo[index]:
            loaded[index] = replace(pose, pose=pose.pose - person.crop.corner, frame=person.crop.size)
    completed = [complete_pose(pose, pose.frame or person.crop.size) for pose in loaded]
    retargeted: Sequence[NDArray[np.float32] | None] = [None] * len(loaded)
    own_body = place_hidden_legs(person.pose, person.parsing)
    if retarget == "motion":
        retargeted = retarget_motion([joints for joints, _ in completed], own_body)
    elif retarget == "each":
        retargeted = [retarget_motion([joints], own_body)[0] for joints, _ in completed]
    scheme = None if parsing_scheme is None else load_scheme(parsing_scheme)
    for index, (pose, (joints, warnings), given) in enumerate(zip(loaded, completed, given_maps, strict=True)):
        moved, told = None, list[str]()
        if given is None and (seen := retargeted[index]) is not None:  # maps are those of the poses as they are
            moved = add_standing_legs(seen, own_body)
            added = set(list_missing_limbs(seen)) - set(list_missing_limbs(moved))
            told += [f"{pose.name}: {_enumerate(added)} missing: legs are made straight"] if added else []
        pose_fit = Letterbox.of(pose.frame or fit.original, fit.frame)
        framed = pose_fit.pose(joints) if moved is None else fit.pose(moved)
        shown = (joints, pose_fit.original) if moved is None else (moved, fit.original)
        doubts = [*pose.doubts, *warnings, *told, *_list_lacking(pose.name, shown[0], person)]
        own = bundled.get(pose.name)
        is_bundled = own is not None and own.frame == pose.frame
        parsing = None
        if given is not None:
            map_ = load_parsing(given, scheme, joints, pose_fit.original, option="parsing")
            if of_photo[index] and map_.labels.shape == (whole := person.photo.shape[:2]) != person.crop.size:
                map_ = load_parsing(given, scheme, joints + person.crop.corner, whole, option="parsing")
                map_ = replace(map_, labels=person.crop.of(map_.labels))
            labels, _ = fit_parsing(map_, [(pose.name, pose_fit.original), (person.name, fit.original)])
            parsing = Letterbox.of((labels.shape[0], labels.shape[1]), fit.frame).parsing(labels)
            doubts += [map_.doubt] if map_.doubt else []
            share = joints_on_body(framed, parsing)
            if share is not None and share < DOUBTFUL:
                doubts.append(f"{pose.name}: only {share:.0%} of its joints lie on the given map, which rules")
        targets.append(Target(pose.name, framed, parsing, tuple(doubts), is_bundled, _list_beyond(*shown)))
    return targets


def describe_beyond(target: Target) -> list[str]:
    """What a result of the frame's own bounds does not show of ``target``."""
    if not target.beyond:
        return []
    return [f"{target.name}: {', '.join(target.beyond)} lie outside of the result, which does not show them"]


def _list_beyond(pose: NDArray[np.floating], size: tuple[int, int]) -> tuple[str, ...]:
    """Joints of ``pose`` outside of a frame of ``size``; one alone may be inexact."""
    outside = find_outside(pose, size)
    return tuple(JOINTS[joint] for joint in outside) if len(outside) > 1 else ()


def _list_lacking(name: str, pose: NDArray[np.floating], person: Person) -> list[str]:
    """Limbs of the person that the target pose lacks."""
    lacking = set(list_missing_limbs(pose)) - set(list_missing_limbs(person.pose))
    return [f"{name}: {_enumerate(lacking)} missing, so that these limbs are made up in the result"] if lacking else []


def _enumerate(joints: Collection[str]) -> str:
    return f"{', '.join(joint for joint in JOINTS if joint in joints)} {'is' if len(joints) == 1 else 'are'}"


def _list_items(given: Any) -> list[Any]:
    """What was given, each; one pose, map or picture alone, such as a name, is one and not its letters or rows."""
    if isinstance(given, str | bytes | os.PathLike | LoadedPose | Image.Image):
        return [given]
    if isinstance(given, np.ndarray):  # a pose or a map; a picture
        return [given] if given.ndim == 2 or (given.ndim == 3 and given.shape[2] in (3, 4)) else list(given)
    items = list(given)
    is_pose = len(items) == len(JOINTS) and all(item is None or isinstance(item, list | tuple) for item in items)
    numbers = [number for item in items for number in item or ()] if is_pose else []
    return [items] if is_pose and all(isinstance(number, int | float | None) for number in numbers) else items
