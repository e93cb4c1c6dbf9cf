"""What users give for a photo, a pose or a parsing map, files or arrays, as checked arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.torso import complete_torso
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.formats.images import read_image
from pgen.data.formats.keypoints import LoadedPose, pose_format, read_pose
from pgen.data.formats.parsing import read_parsing
from pgen.data.inputs import split_spec
from pgen.data.named_poses import find_named_pose
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError

Spec = str | os.PathLike[str]
#: A path, ``FILE.h5:NAME``, or uint8 (H, W, 3) RGB.
ImageLike = Spec | NDArray[np.uint8]
#: A path, ``FILE.csv:NAME``, ``FILE.h5:NAME``, a photo, the name of a bundled pose, an array (18, 2) of (x, y) with
#: NaN = missing, or a pose with its frame.
PoseLike = Spec | NDArray[np.floating] | LoadedPose
#: A path, ``FILE.h5:NAME``, or integers (H, W), label ids 0-9.
ParsingLike = Spec | NDArray[np.integer]

# Widths and heights of the same shape differ by rounding: 1101x750 is 256x174.4.
_SHAPE_TOLERANCE = 0.02


@dataclass(frozen=True)
class SourceInput:
    """A photo of a person with its annotations, all in the photo's pixels."""

    name: str
    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    pose: NDArray[np.float32]  #: (18, 2), with both shoulders and both hips
    parsing: NDArray[np.uint8]  #: (H, W)
    warnings: tuple[str, ...]  #: what had to be made up
    notes: tuple[str, ...] = ()  #: what was estimated, and by what
    framed: bool = False  #: whether it comes from a store, whose photos are framed as they should be


def read_source(
    image: ImageLike,
    pose: PoseLike | None = None,
    parsing: ParsingLike | None = None,
    annotators: Annotators | None = None,
) -> SourceInput:
    """A photo with its pose and parsing map; an image of a store brings its own, and what is not given is estimated.

    A pose with a known frame, or a map, of another size than the photo is scaled to it if it has the same shape.
    Raises `InputError` if something is damaged, does not belong to the photo, or cannot be estimated.
    """
    annotators = annotators or Annotators()
    framed = False
    if isinstance(image, np.ndarray):
        name, pixels = "the photo", _checked_image(image)
    else:
        name, pixels, pose, parsing, framed = _read_photo(image, pose, parsing)
    if parsing is None:
        annotators.parsing_annotator()  # before any work is done
    size = (pixels.shape[0], pixels.shape[1])
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    silhouette = None
    if pose is None:
        found = annotators.pose(pixels, name)
        loaded = LoadedPose(found.person.pose, size, name)
        silhouette, notes, doubts = found.person.silhouette, found.notes, found.person.doubts
    else:
        loaded = _load_pose(pose, name, annotators)
    joints, warnings = _photo_pose(loaded, size, name)
    warnings = (*(f"{name}: {doubt}" for doubt in doubts), *warnings)
    if parsing is not None:
        return SourceInput(name, pixels, joints, _photo_parsing(parsing, size, name), warnings, notes, framed)
    if silhouette is None:
        silhouette = annotators.silhouette(pixels, joints)
    parsed = annotators.parsing(ParsingRequest(pixels, joints, silhouette))
    warnings = (*warnings, *(f"{name}: {doubt}" for doubt in parsed.doubts))
    notes = (*notes, f"{name}: parsing map estimated by {annotators.parsing_annotator().name}")
    return SourceInput(name, pixels, joints, _photo_parsing(parsed.labels, size, name), warnings, notes, framed)


def read_target(pose: PoseLike, annotators: Annotators | None = None) -> LoadedPose:
    """A target pose, with its frame if a store, the canvas in its JSON, or the photo beside its CSV tells it.

    Of a photo the pose is estimated, and its frame is the photo's size; a bundled pose is taken if there is no file of
    its name.
    """
    loaded = _load_pose(pose, None, annotators or Annotators())
    if loaded.frame is None and not isinstance(pose, np.ndarray | LoadedPose):
        loaded = replace(loaded, frame=_frame_beside(pose, loaded.name))
        if loaded.frame is not None:
            _refuse_outside(loaded, loaded.frame, f"the photo {loaded.name} beside it")
    return loaded


def estimate_pose(path: Path, annotators: Annotators) -> LoadedPose:
    """The pose of the person in a photo."""
    image = read_image(path)
    found = annotators.pose(image, path.name)
    doubts = tuple(f"{path.name}: {doubt}" for doubt in found.person.doubts)
    return LoadedPose(found.person.pose, (image.shape[0], image.shape[1]), path.name, found.notes, doubts)


def complete_pose(loaded: LoadedPose, frame: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The pose with both shoulders and hips, and a warning for each that was missing. Names it in errors."""
    try:
        pose, warnings = complete_torso(loaded.pose, frame)
    except InputError as error:
        raise InputError(f"{loaded.name}: {error}") from None
    return pose, tuple(f"{loaded.name}: {warning}" for warning in warnings)


def load_parsing(parsing: ParsingLike) -> tuple[NDArray[np.uint8], str]:
    """A parsing map uint8 (H, W), and what to call it in messages."""
    if not isinstance(parsing, np.ndarray):
        return read_parsing(parsing), os.fspath(parsing)
    if parsing.ndim != 2 or not np.issubdtype(parsing.dtype, np.integer) or not parsing.size:
        raise InputError(f"a parsing map is an integer array (height, width), not {parsing.dtype} {parsing.shape}")
    if parsing.min() < 0 or parsing.max() >= LABEL_COUNT:
        raise InputError(f"the parsing map has label ids outside of 0 to {LABEL_COUNT - 1}")
    return parsing.astype(np.uint8), "the parsing map"


def has_same_shape(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether two sizes (height, width) have the same ratio of sides, but for rounding."""
    ratio = (first[0] * second[1]) / (first[1] * second[0])
    return abs(ratio - 1) <= _SHAPE_TOLERANCE


def resize_parsing(parsing: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The map at ``size`` (height, width), nearest label."""
    if parsing.shape == size:
        return parsing
    return np.asarray(Image.fromarray(parsing).resize(size[::-1], Image.Resampling.NEAREST))


def _read_photo(
    image: Spec, pose: PoseLike | None, parsing: ParsingLike | None
) -> tuple[str, NDArray[np.uint8], PoseLike | None, ParsingLike | None, bool]:
    """Name and pixels of a photo, its annotations, from its store where they were not given, and whether it has one."""
    path, entry = split_spec(image)
    if not is_hdf5(path):
        if entry is not None:
            raise InputError(f"{os.fspath(image)} does not exist ({path} does, but it is not a store with entries)")
        return path.name, read_image(path), pose, parsing, False
    if entry is None:
        raise InputError(f"{path} is a store: name one of its images, {path}:NAME")
    with Store(path) as store:
        example = store.example(store.find(entry))
    own_pose = LoadedPose(example.pose, store.size, example.name)
    return (
        example.name,
        example.image,
        own_pose if pose is None else pose,
        example.parsing if parsing is None else parsing,
        True,
    )


def _checked_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise InputError(f"a photo is uint8 (height, width, 3) RGB, not {image.dtype} {image.shape}")
    return image


def _load_pose(pose: PoseLike, photo: str | None, annotators: Annotators) -> LoadedPose:
    if isinstance(pose, LoadedPose):
        return pose
    if not isinstance(pose, np.ndarray):
        bundled = find_named_pose(pose)
        if bundled is not None:
            return bundled
        path, entry = split_spec(pose)
        if entry is None and not is_hdf5(path) and pose_format(path) == "image":
            return estimate_pose(path, annotators)
        return read_pose(pose, default_name=photo)
    if pose.shape != (JOINT_COUNT, 2) or not np.issubdtype(pose.dtype, np.number):
        raise InputError(f"a pose is an array ({JOINT_COUNT}, 2) of (x, y), not {pose.dtype} {pose.shape}")
    return LoadedPose(pose.astype(np.float32), None, "the pose")


def _photo_pose(loaded: LoadedPose, size: tuple[int, int], photo: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The pose in the photo's pixels, completed."""
    height, width = size
    if loaded.frame is not None and loaded.frame != size:
        own = "x".join(map(str, loaded.frame))
        if not has_same_shape(loaded.frame, size):
            raise InputError(
                f"{loaded.name}: this pose belongs to a photo of {own} (height x width), and {photo} has "
                f"{height}x{width}; give the pose that was taken from it"
            )
        scale = np.array([width / loaded.frame[1], height / loaded.frame[0]])
        loaded = replace(loaded, pose=((loaded.pose + 0.5) * scale - 0.5).astype(np.float32))
    _refuse_outside(loaded, size, photo)
    return complete_pose(loaded, size)


def _refuse_outside(loaded: LoadedPose, size: tuple[int, int], photo: str) -> None:
    """Refuse a pose most of whose joints miss the photo: it is in pixels of another frame."""
    joints = loaded.pose[known_joints(loaded.pose)]
    outside = ((joints < -0.5) | (joints > np.array(size[::-1]) - 0.5)).any(axis=1)
    if 2 * outside.sum() > len(joints):
        raise InputError(
            f"{loaded.name}: {outside.sum()} of {len(joints)} joints lie outside of {photo} ({size[0]}x{size[1]}, "
            "height x width); give joints in pixels of that photo"
        )


def _photo_parsing(parsing: ParsingLike, size: tuple[int, int], photo: str) -> NDArray[np.uint8]:
    labels, what = load_parsing(parsing)
    if not has_same_shape(labels.shape, size):
        raise InputError(
            f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width), and {photo} has "
            f"{size[0]}x{size[1]}: not the same shape; give the map of that photo"
        )
    if not (labels != Label.BACKGROUND).any():
        raise InputError(f"{what} shows nobody: all of it is background; give the map of {photo}")
    return resize_parsing(labels, size)


def _frame_beside(spec: Spec, name: str) -> tuple[int, int] | None:
    """Size of the photo called ``name`` beside a keypoint CSV, or in its folder images/; None if there is none."""
    path, _ = split_spec(spec)
    if pose_format(path) != "csv":
        return None
    for photo in (path.parent / name, path.parent / "images" / name):
        if Path(photo).is_file():
            height, width, _ = read_image(photo).shape
            return height, width
    return None
