"""What users give for a photo, a pose or a parsing map (files, pictures, arrays or lists), as checked data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import CropBox, has_same_shape, scale_pose
from pgen.body.joints import JOINT_COUNT, fill_gaps
from pgen.body.retarget import measure_bones
from pgen.body.torso import complete_torso
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import FoundPerson, NobodyFoundError, ParsingRequest
from pgen.data.example import Example
from pgen.data.formats.annotation_files import find_carried_file, read_carried
from pgen.data.formats.image_colors import DecodedPhoto
from pgen.data.formats.images import convert_picture, decode_photo, read_image, read_photo
from pgen.data.formats.keypoints import LoadedPose, detect_pose_format, read_pose
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_people import convert_to_pixels
from pgen.data.inputs import split_number, split_spec
from pgen.data.named_poses import find_named_pose, split_pose_spec
from pgen.data.readers.frames import pose_into_photo
from pgen.data.readers.person_checks import check_on_body, check_somebody, check_within, list_pose_doubts
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError
from pgen.inference.parsing_maps import ParsingLike, describe_value, fit_parsing, load_parsing, to_array
from pgen.inference.person import SILHOUETTE_THRESHOLD, Person, find_crop

Spec = str | os.PathLike[str]
#: A path, ``FILE.h5:NAME``, the bytes of a file, a PIL image, or RGB values 0-255 (H, W, 3): array or nested list;
#: grey (H, W) and RGBA (H, W, 4) as arrays of bytes.
ImageLike = Spec | bytes | Image.Image | NDArray[np.integer] | Sequence[Any]
#: A path, ``FILE.csv:NAME``, ``FILE.h5:NAME``, a photo (as `ImageLike`), the name of a bundled pose, (x, y) of the 18
#: joints as array or list with NaN or None = missing, or a pose with its frame.
PoseLike = ImageLike | NDArray[np.floating] | LoadedPose


@dataclass(frozen=True, eq=False)
class AnnotatedPhoto:
    """A photo of height H and width W with the pose and the map of a person in it, given or estimated, and checked."""

    name: str
    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    pose: NDArray[np.float32]  #: (18, 2) of (x, y) in pixels of the photo, NaN = missing
    parsing: NDArray[np.uint8]  #: label ids 0-9, (H, W)
    carried: NDArray[np.bool_] | None  #: what is carried, (H, W); None: not known
    pose_name: str  #: what to call the pose
    is_framed: bool  #: whether it is the photo of a store, which shows the person as it should
    warnings: tuple[str, ...]  #: what is doubtful
    notes: tuple[str, ...]  #: what was estimated, by what, and how files were read
    confidence: NDArray[np.float32] | None = None  #: (18,), of an estimated pose
    silhouette: NDArray[np.float32] | None = None  #: where the person is, 0 to 1, (H, W), if it was looked for
    rgba: NDArray[np.uint8] | None = None  #: the photo with its transparency, (H, W, 4), if it has any


def read_person(
    image: ImageLike,
    pose: PoseLike | None = None,
    parsing: ParsingLike | None = None,
    annotators: Annotators | None = None,
    crop_for: tuple[int, int] | None = None,
    number: int | None = None,
    frame: tuple[int, int] | None = None,
    parsing_scheme: str | None = None,
) -> Person:
    """The person in a photo; an image of a store brings pose and map of its own, and what is not given is estimated.

    A pose with a known frame, or a map, of another size than the photo is scaled to it if it has the same shape.

    Args:
        image, pose, parsing, number, frame, parsing_scheme: as in `Predictor.person`.
        annotators: what estimates what is not given; those of the package by default.
        crop_for: the frame (height, width) of networks for which a photo that shows the person small is cropped. Those
            of a store are framed as they should be.

    Raises:
        InputError: something is damaged, does not belong to the photo, or cannot be estimated.
    """
    photo = annotate_photo(image, pose, parsing, annotators, number, frame, parsing_scheme)
    size = (photo.image.shape[0], photo.image.shape[1])
    joints, completed = complete_pose(LoadedPose(photo.pose, size, photo.pose_name), size)
    is_whole = crop_for is None or photo.is_framed
    crop = CropBox.whole(size) if is_whole or crop_for is None else find_crop(joints, photo.parsing, crop_for)
    carried = None if photo.carried is None else crop.of(photo.carried.astype(np.uint8)).astype(bool)
    seen = (
        None
        if photo.silhouette is None
        else crop.of((photo.silhouette > SILHOUETTE_THRESHOLD).astype(np.uint8)).astype(bool)
    )
    doubts = [*photo.warnings, *completed, *list_pose_doubts(joints, photo.name, pose is not None)]
    return Person(
        photo.name, photo.image, crop, joints - crop.corner, crop.of(photo.parsing),
        tuple(doubts), photo.notes, carried, seen, photo.rgba,
    )  # fmt: skip


def annotate_photo(
    image: ImageLike,
    pose: PoseLike | None = None,
    parsing: ParsingLike | None = None,
    annotators: Annotators | None = None,
    number: int | None = None,
    frame: tuple[int, int] | None = None,
    parsing_scheme: str | None = None,
    with_map: bool = True,
) -> AnnotatedPhoto:
    """The same without shoulders and hips made up, never cropped, and, if not ``with_map``, with an empty map."""
    annotators = annotators or Annotators()
    scheme = load_scheme(parsing_scheme) if parsing_scheme is not None else None
    name, (pixels, lost, rgba), own, carried = _read_photo(image, parsing)
    is_framed = own is not None
    if scheme is not None and parsing is None:
        raise InputError("a parsing scheme is that of a map which is given; give the map too", option="parsing")
    if frame is not None and pose is None:
        raise InputError("a frame is that of a pose which is given; give the pose too", option="pose")
    given_pose, given_map = pose, parsing
    if own is not None:
        pose = LoadedPose(own.pose, (pixels.shape[0], pixels.shape[1]), name) if pose is None else pose
        parsing = own.parsing if parsing is None else parsing
    if parsing is None and with_map:
        annotators.parsing_annotator()  # before any work is done
    size = (pixels.shape[0], pixels.shape[1])
    found: FoundPerson | None = None
    if pose is not None:
        loaded = _load_pose(pose, annotators, name, number, size)
    else:
        try:
            loaded, found = _estimate_pose(pixels, name, annotators, number)
        except NobodyFoundError as error:
            error.option = "pose"
            raise
    joints = fit_pose(loaded, size, name, frame)
    warnings, notes = [*loaded.doubts], [*(f"{name}: {note}" for note in lost), *loaded.notes]
    silhouette = None if found is None else found.silhouette
    if parsing is None and found is None and (people := annotators.find_people(pixels)) is not None:
        warnings += filter(None, [check_somebody(joints, size, people, loaded.name, name)])
        match = people.match(joints)
        silhouette = None if match is None else match.silhouette
    labels = np.zeros(size, np.uint8)
    if parsing is None and with_map:
        estimated = annotators.parsing(ParsingRequest(pixels, joints, silhouette))
        labels, carried = estimated.labels, estimated.carried
        if not labels.any():
            raise InputError(
                f"{name}: the estimated parsing map shows nobody at the joints of {loaded.name}; give the pose of a "
                "person in this photo, or the map",
                option="pose",
            )
        warnings += [f"{name}: {doubt}" for doubt in estimated.doubts]
        notes.append(f"{name}: parsing map estimated by {annotators.parsing_annotator().name}")
    elif parsing is not None:
        map_ = load_parsing(parsing, scheme, joints, size, option="parsing")
        labels, what = fit_parsing(map_, [(name, size)])
        if not labels.any():
            raise InputError(f"{what} shows nobody: all of it is background; give the map of {name}", option="parsing")
        carried = map_.carried if carried is None else carried
        carried = None if carried is None else fit_parsing(carried.astype(np.uint8), [(name, size)])[0]
        if given_pose is not None or given_map is not None:
            body = labels if carried is None else np.maximum(labels, carried)
            doubts = [check_on_body(joints, body, what, loaded.name, with_doubts=True), map_.doubt]
            warnings += filter(None, doubts)
    carried = None if carried is None else carried.astype(bool)
    confidence = None if found is None else found.confidence
    return AnnotatedPhoto(
        name, pixels, joints, labels, carried, loaded.name, is_framed, tuple(warnings), tuple(notes), confidence,
        silhouette, rgba,
    )  # fmt: skip


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
            check_within(loaded.pose, (height, width), loaded.name, f"the photo {loaded.name} beside it")
            loaded = replace(loaded, frame=(height, width))
    if loaded.frame is not None:
        given = os.fspath(pose) if isinstance(pose, str | os.PathLike) else loaded.name
        named = loaded.name if loaded.name in given else f"{Path(given).name}: {loaded.name}"
        check_within(loaded.pose, loaded.frame, named, "the photo that it belongs to")
    return loaded


def complete_pose(loaded: LoadedPose, frame: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The pose with both shoulders and hips, and a warning for each that was missing. Names it in errors."""
    try:
        pose, warnings = complete_torso(loaded.pose, frame)
        measure_bones([pose])
    except InputError as error:
        raise InputError(f"{loaded.name}: {error}") from None
    except ValueError:
        raise InputError(f"{loaded.name}: all joints lie in one point; it is no pose", option="pose") from None
    return pose, tuple(f"{loaded.name}: {warning}" for warning in warnings)


def _read_photo(
    image: ImageLike, parsing: ParsingLike | None
) -> tuple[str, DecodedPhoto, Example | None, NDArray[Any] | None]:
    """A photo with its name, what its store knows of it, and what is carried as far as a file says it."""
    carried = None
    if isinstance(parsing, str | os.PathLike) and (file := find_carried_file(Path(parsing))) is not None:
        carried = read_carried(file)
    if not isinstance(image, str | os.PathLike):
        photo, name = _read_pixels(image)
        return name, photo, None, carried
    path, entry = split_spec(image)
    if not is_hdf5(path):
        if entry is not None:
            raise InputError(f"{os.fspath(image)} does not exist ({path} does, but it is not a store with entries)")
        return path.name, read_photo(path), None, carried
    if entry is None:
        raise InputError(f"{path} is a store: name one of its images, {path}:NAME")
    with Store(path) as store:
        example = store.example(store.find(entry))
    return example.name, DecodedPhoto(example.image), example, example.carried if parsing is None else carried


def _read_pixels(image: ImageLike | NDArray[np.floating]) -> tuple[DecodedPhoto, str]:
    """A photo that is no path, and what to call it in messages."""
    if isinstance(image, bytes | bytearray):
        return decode_photo(bytes(image), "the photo"), "the photo"
    if isinstance(image, Image.Image):
        name = Path(getattr(image, "filename", "") or "the photo").name
        return convert_picture(image, name), name
    pixels = to_array(image)
    if pixels.dtype == np.uint8 and pixels.size and (pixels.ndim == 2 or pixels.shape[2:] == (4,)):  # grey, RGBA
        return convert_picture(Image.fromarray(np.ascontiguousarray(pixels)), "the photo"), "the photo"
    if not np.issubdtype(pixels.dtype, np.integer) or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        remedy = "scale and round it" if pixels.dtype.kind == "f" else "give a file, a picture or such values"
        raise InputError(f"a photo is RGB, integers 0-255 (height, width, 3), not {describe_value(image)}; {remedy}")
    if pixels.min() < 0 or pixels.max() > 255:
        raise InputError(f"a photo is RGB from 0 to 255, and this has {pixels.min()} to {pixels.max()}")
    return DecodedPhoto(pixels.astype(np.uint8)), "the photo"  # a copy: the caller may paint on theirs


def _load_pose(
    pose: PoseLike,
    annotators: Annotators,
    photo: str | None = None,
    number: int | None = None,
    size: tuple[int, int] | None = None,
) -> LoadedPose:
    """The pose of a file, a photo (it is estimated) or an array; ``photo`` names the entry if there are several.

    ``size`` (height, width) is that of the photo it belongs to, if it belongs to one.
    """
    if isinstance(pose, LoadedPose):
        return pose
    if isinstance(pose, str | os.PathLike):
        pose, own_number = split_number(pose)
        number = number if own_number is None else own_number
        if (bundled := find_named_pose(pose)) is not None:
            if own_number is not None:
                raise InputError(f"{pose} is a bundled pose, of one person; leave out #{own_number}", option="pose")
            return bundled
        path, entry = split_pose_spec(pose)
        if entry is None and not is_hdf5(path) and detect_pose_format(path) == "image":
            return _estimate_pose(read_image(path), path.name, annotators, number)[0]
        return read_pose(pose, number, photo, annotators.person, size, annotators.min_confidence)
    joints = None if isinstance(pose, bytes | bytearray | Image.Image) else to_array(fill_gaps(pose))
    if joints is None or joints.ndim == 3 or (joints.dtype == np.uint8 and joints.shape != (JOINT_COUNT, 2)):
        shown, name = _read_pixels(pose)
        return _estimate_pose(shown.pixels, name, annotators, number)[0]
    if joints.dtype == object:  # None where a joint is missing
        with suppress(TypeError, ValueError):
            joints = joints.astype(np.float32)
    if joints.shape != (JOINT_COUNT, 2) or not np.issubdtype(joints.dtype, np.number):
        kinds = f"a file, a photo, the name of a bundled pose or an array ({JOINT_COUNT}, 2) of (x, y)"
        raise InputError(f"a pose is {kinds}, not {describe_value(pose)}", option="pose")
    (pixels,), notes = convert_to_pixels([joints.astype(np.float32)], size, "the pose")
    return LoadedPose(pixels, None, "the pose", notes)


def _estimate_pose(
    image: NDArray[np.uint8], name: str, annotators: Annotators, number: int | None
) -> tuple[LoadedPose, FoundPerson]:
    """The pose of the person in a photo, and what else was found of them."""
    found = annotators.pose(image, name, number)
    doubts = tuple(f"{name}: {doubt}" for doubt in found.person.doubts)
    size = (image.shape[0], image.shape[1])
    return LoadedPose(found.person.pose, size, name, found.notes, doubts), found.person


def fit_pose(
    loaded: LoadedPose, size: tuple[int, int], photo: str, frame: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """The pose in pixels of the ``photo`` of ``size``; ``frame`` says what it refers to, whatever its file says."""
    height, width = size
    pose = loaded.pose
    if frame is not None:
        pose = pose_into_photo(pose, frame, size)
    elif loaded.frame is not None and loaded.frame != size:
        if not has_same_shape(loaded.frame, size):
            raise InputError(
                f"{loaded.name}: this pose belongs to a photo of {loaded.frame[0]}x{loaded.frame[1]} (height x width), "
                f"and {photo} has {height}x{width}; give the pose that was taken from it",
                option="pose",
            )
        pose = scale_pose(pose, loaded.frame, size)
    check_within(pose, size, loaded.name, photo)
    return pose
