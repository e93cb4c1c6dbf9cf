"""What users give for a photo, a pose or a parsing map (files, pictures, arrays or lists), as checked data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import CropBox, has_same_shape
from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.torso import complete_torso
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import NobodyFoundError, ParsingRequest
from pgen.data.formats.annotation_files import find_carried_file, read_carried
from pgen.data.formats.images import convert_to_rgb, decode_photo, read_image
from pgen.data.formats.keypoints import LoadedPose, detect_pose_format, read_pose
from pgen.data.formats.parsing import read_parsing
from pgen.data.inputs import split_number, split_spec
from pgen.data.named_poses import find_named_pose, split_pose_spec
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError
from pgen.inference.person import Person, find_crop

Spec = str | os.PathLike[str]
#: A path, ``FILE.h5:NAME``, the bytes of a file, a PIL image, or RGB values 0-255 (H, W, 3): array or nested list.
ImageLike = Spec | bytes | Image.Image | NDArray[np.integer] | Sequence[Any]
#: A path, ``FILE.csv:NAME``, ``FILE.h5:NAME``, a photo (as `ImageLike`), the name of a bundled pose, (x, y) of the 18
#: joints as array or list with NaN or None = missing, or a pose with its frame.
PoseLike = ImageLike | NDArray[np.floating] | LoadedPose
#: A path, ``FILE.h5:NAME``, or label ids 0-9, (H, W): array, nested list, or PIL image with a palette or in grey.
ParsingLike = Spec | Image.Image | NDArray[np.integer] | Sequence[Any]


def read_person(
    image: ImageLike,
    pose: PoseLike | None = None,
    parsing: ParsingLike | None = None,
    annotators: Annotators | None = None,
    crop_for: tuple[int, int] | None = None,
    number: int | None = None,
) -> Person:
    """The person in a photo; an image of a store brings pose and map of its own, and what is not given is estimated.

    A pose with a known frame, or a map, of another size than the photo is scaled to it if it has the same shape.

    Args:
        image, pose, parsing, number: as in `Predictor.person`.
        annotators: what estimates what is not given; those of the package by default.
        crop_for: the frame (height, width) of networks for which a photo that shows the person small is cropped. Those
            of a store are framed as they should be.

    Raises:
        InputError: something is damaged, does not belong to the photo, or cannot be estimated.
    """
    annotators = annotators or Annotators()
    name, pixels, pose, parsing, carried, is_framed = _read_photo(image, pose, parsing)
    if parsing is None:
        annotators.parsing_annotator()  # before any work is done
    size = (pixels.shape[0], pixels.shape[1])
    silhouette = None
    if pose is not None:
        loaded = _load_pose(pose, annotators, name, number)
    else:
        try:
            loaded, silhouette = _estimate_pose(pixels, name, annotators, number)
        except NobodyFoundError as error:
            error.option = "pose"
            raise
    joints, completed = _fit_pose(loaded, size, name)
    warnings, notes = [*loaded.doubts, *completed], [*loaded.notes]
    if parsing is None:
        silhouette = annotators.silhouette(pixels, joints) if silhouette is None else silhouette
        found = annotators.parsing(ParsingRequest(pixels, joints, silhouette))
        parsing, carried = found.labels, found.carried
        warnings += [f"{name}: {doubt}" for doubt in found.doubts]
        notes.append(f"{name}: parsing map estimated by {annotators.parsing_annotator().name}")
    labels, what = fit_parsing(parsing, [(name, size)])
    if not (labels != Label.BACKGROUND).any():
        raise InputError(f"{what} shows nobody: all of it is background; give the map of {name}", option="parsing")
    crop = CropBox.whole(size) if crop_for is None or is_framed else find_crop(joints, labels, crop_for)
    if carried is not None:
        carried = crop.of(fit_parsing(carried.astype(np.uint8), [(name, size)])[0]).astype(bool)
    return Person(name, pixels, crop, joints - crop.corner, crop.of(labels), tuple(warnings), tuple(notes), carried)


def read_target(pose: PoseLike, annotators: Annotators | None = None) -> LoadedPose:
    """A target pose, with its frame if a store, the canvas in its JSON, or the photo beside its CSV says it.

    ``SPEC#N`` is that of person N of several.
    Of a photo the pose is estimated, and its frame is the photo's size; a bundled pose is taken if there is no file of
    its name.
    """
    loaded = _load_pose(pose, annotators or Annotators())
    if loaded.frame is None and isinstance(pose, str | os.PathLike):
        path, _ = split_spec(split_number(pose)[0])
        beside = (path.parent / loaded.name, path.parent / "images" / loaded.name)
        photo = next(filter(Path.is_file, beside), None) if detect_pose_format(path) == "csv" else None
        if photo is not None:
            height, width, _ = read_image(photo).shape
            _refuse_outside(loaded, (height, width), f"the photo {loaded.name} beside it")
            loaded = replace(loaded, frame=(height, width))
    return loaded


def complete_pose(loaded: LoadedPose, frame: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The pose with both shoulders and hips, and a warning for each that was missing. Names it in errors."""
    try:
        pose, warnings = complete_torso(loaded.pose, frame)
    except InputError as error:
        raise InputError(f"{loaded.name}: {error}") from None
    return pose, tuple(f"{loaded.name}: {warning}" for warning in warnings)


def load_parsing(parsing: ParsingLike) -> tuple[NDArray[np.uint8], str]:
    """A parsing map uint8 (H, W), and what to call it in messages."""
    if isinstance(parsing, str | os.PathLike):
        return read_parsing(parsing), os.fspath(parsing)
    ids = _to_array(parsing)
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer) or not ids.size:
        raise InputError(f"a parsing map is a file or an integer array (height, width), not {_describe(parsing)}")
    if ids.min() < 0 or ids.max() >= LABEL_COUNT:
        raise InputError(f"the parsing map has label ids outside of 0 to {LABEL_COUNT - 1}")
    return ids.astype(np.uint8), "the parsing map"


def fit_parsing(parsing: ParsingLike, photos: Sequence[tuple[str, tuple[int, int]]]) -> tuple[NDArray[np.uint8], str]:
    """The same at the size of the first of ``photos``, names and (height, width), that has its shape; nearest label.

    Raises `InputError` if none has.
    """
    labels, what = load_parsing(parsing)
    for _, size in photos:
        if has_same_shape(labels.shape, size):
            return np.asarray(Image.fromarray(labels).resize(size[::-1], Image.Resampling.NEAREST)), what
    shapes = " nor of ".join(f"{name} ({height}x{width})" for name, (height, width) in photos)
    raise InputError(
        f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width), not the shape of {shapes}; give a "
        "map of that photo",
        option="parsing",
    )


def _read_photo(
    image: ImageLike, pose: PoseLike | None, parsing: ParsingLike | None
) -> tuple[str, NDArray[np.uint8], PoseLike | None, ParsingLike | None, NDArray[Any] | None, bool]:
    """Name and pixels of a photo, its annotations, from its store where they were not given, and whether it has one.

    The last annotation is what is carried, as far as it is known with the map.
    """
    carried = None
    if isinstance(parsing, str | os.PathLike) and (file := find_carried_file(Path(parsing))) is not None:
        carried = read_carried(file)
    if not isinstance(image, str | os.PathLike):
        pixels, name = _read_pixels(image)
        return name, pixels, pose, parsing, carried, False
    path, entry = split_spec(image)
    if not is_hdf5(path):
        if entry is not None:
            raise InputError(f"{os.fspath(image)} does not exist ({path} does, but it is not a store with entries)")
        return path.name, read_image(path), pose, parsing, carried, False
    if entry is None:
        raise InputError(f"{path} is a store: name one of its images, {path}:NAME")
    with Store(path) as store:
        example = store.example(store.find(entry))
    pose = LoadedPose(example.pose, store.size, example.name) if pose is None else pose
    if parsing is None:
        parsing, carried = example.parsing, example.carried
    return example.name, example.image, pose, parsing, carried, True


def _read_pixels(image: ImageLike | NDArray[np.floating]) -> tuple[NDArray[np.uint8], str]:
    """A photo that is no path, and what to call it in messages."""
    if isinstance(image, bytes | bytearray):
        return decode_photo(bytes(image), "the photo"), "the photo"
    if isinstance(image, Image.Image):
        name = Path(getattr(image, "filename", "") or "the photo").name
        return convert_to_rgb(image, name), name
    pixels = _to_array(image)
    if not np.issubdtype(pixels.dtype, np.integer) or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        remedy = "scale and round it" if pixels.dtype.kind == "f" else "give a file, a picture or such values"
        raise InputError(f"a photo is RGB, integers 0-255 (height, width, 3), not {_describe(image)}; {remedy}")
    if pixels.min() < 0 or pixels.max() > 255:
        raise InputError(f"a photo is RGB from 0 to 255, and this has {pixels.min()} to {pixels.max()}")
    return pixels.astype(np.uint8, copy=False), "the photo"


def _to_array(value: object) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError("a list of lists must have rows of one length") from None


def _describe(value: object) -> str:
    array = np.asarray(value)
    return f"{array.dtype} {array.shape}" if array.ndim else type(value).__name__


def _load_pose(
    pose: PoseLike, annotators: Annotators, photo: str | None = None, number: int | None = None
) -> LoadedPose:
    """The pose of a file, a photo (it is estimated) or an array; ``photo`` names the entry if there are several."""
    if isinstance(pose, LoadedPose):
        return pose
    if isinstance(pose, str | os.PathLike):
        pose, own_number = split_number(pose)
        number = number if own_number is None else own_number
        bundled = find_named_pose(pose)
        if bundled is not None:
            return bundled
        path, entry = split_pose_spec(pose)
        if entry is None and not is_hdf5(path) and detect_pose_format(path) == "image":
            return _estimate_pose(read_image(path), path.name, annotators, number)[0]
        return read_pose(pose, number, photo, annotators.person)
    joints = None if isinstance(pose, bytes | bytearray | Image.Image) else _to_array(pose)
    if joints is None or joints.ndim == 3:
        return _estimate_pose(*_read_pixels(pose), annotators, number)[0]
    if joints.dtype == object:  # None where a joint is missing
        with suppress(TypeError, ValueError):
            joints = joints.astype(np.float32)
    if joints.shape != (JOINT_COUNT, 2) or not np.issubdtype(joints.dtype, np.number):
        kinds = f"a file, a photo, the name of a bundled pose or an array ({JOINT_COUNT}, 2) of (x, y)"
        raise InputError(f"a pose is {kinds}, not {_describe(pose)}", option="pose")
    return LoadedPose(joints.astype(np.float32), None, "the pose")


def _estimate_pose(
    image: NDArray[np.uint8], name: str, annotators: Annotators, number: int | None
) -> tuple[LoadedPose, NDArray[np.float32] | None]:
    """The pose of the person in a photo, and their silhouette if the annotator gives one."""
    found = annotators.pose(image, name, number)
    doubts = tuple(f"{name}: {doubt}" for doubt in found.person.doubts)
    size = (image.shape[0], image.shape[1])
    return LoadedPose(found.person.pose, size, name, found.notes, doubts), found.person.silhouette


def _fit_pose(loaded: LoadedPose, size: tuple[int, int], photo: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The pose in the photo's pixels, completed."""
    height, width = size
    if loaded.frame is not None and loaded.frame != size:
        if not has_same_shape(loaded.frame, size):
            raise InputError(
                f"{loaded.name}: this pose belongs to a photo of {loaded.frame[0]}x{loaded.frame[1]} (height x width), "
                f"and {photo} has {height}x{width}; give the pose that was taken from it",
                option="pose",
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
            "height x width); give joints in pixels of that photo",
            option="pose",
        )
