"""Photos and the annotations that belong to them: what every reader of a data set on disk finds, and reading it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.crop import has_same_shape
from pgen.data.annotators.interface import NobodyFoundError, ParsingRequest
from pgen.data.example import CHOICE, DOUBTS, Drop, Example, Job, Split
from pgen.data.formats.annotation_files import is_estimated_map, read_carried
from pgen.data.formats.images import read_image
from pgen.data.formats.parsing import read_label_ids
from pgen.data.formats.parsing_merge import find_carried, merge_labels
from pgen.data.formats.parsing_schemes import ParsingScheme
from pgen.data.formats.pose_people import MIN_CONFIDENCE
from pgen.data.readers.frames import height_by_width, parsing_into_photo, pose_into_photo
from pgen.data.readers.given import Estimating
from pgen.data.readers.keypoint_sources import PoseRow, load_pose
from pgen.data.readers.person_checks import (
    OFF_BODY,
    OTHER_FRAME,
    MisfitError,
    check_label_ids,
    check_on_body,
    check_somebody,
    check_within,
)
from pgen.errors import InputError


@dataclass(frozen=True)
class Photo:
    """A photo and where its annotations are, before anything is read."""

    name: str
    path: Path
    pose: PoseRow | None  # None: to be estimated, else the photo is dropped
    parsing: Path | None  # the file of its map; likewise
    person: str  # who it shows
    split: Split
    carried: Path | None = None  # the file of what is carried, which belongs to the map


@dataclass(frozen=True)
class Conventions:
    """How the annotations of a data set are to be read.

    Sizes are (height, width). A map has the size of its photo, of ``frame``, or of one of ``map_frames``: frames that
    show the same height with the same vertical axis.
    """

    scheme: ParsingScheme
    frame: tuple[int, int] | None = None  # that poses refer to; None: their photo
    map_frames: tuple[tuple[int, int], ...] = ()
    shape: tuple[int, int] | None = None  # square photos are cut to the ratio of this size
    estimating: Estimating | None = None  # what is done about annotations that are missing
    min_confidence: float = MIN_CONFIDENCE  # joints of less are left out


@dataclass(frozen=True)
class PhotoSet:
    """The photos of a data set. Names are paths within the folder of photos, with "/"."""

    photos: Sequence[Photo]
    pairs: list[tuple[str, str]] | None  # (source, target) photos for testing
    train_pairs: list[tuple[str, str]]  # and for training; SPT needs none, others do
    conventions: Conventions
    keypoints: str  # where the poses come from, for messages
    files: tuple[Path, ...]  # that all photos depend on: tables and lists
    drops: tuple[Drop, ...] = ()  # photos that cannot be used, as the names alone show
    missing: tuple[Drop, ...] = ()  # pairs, names and rows of keypoints without a photo
    notes: tuple[str, ...] = ()  # what was assumed or left aside

    def __len__(self) -> int:
        return len(self.photos) + len(self.drops)

    def jobs(self) -> Iterator[Job | Drop]:
        """What gives each photo, in their order."""
        for one in self.photos:
            what = (one.name, one.path, one.pose, one.parsing, one.person, one.split, self.conventions, one.carried)
            yield Job(one.name, read_photo, what)
        yield from self.drops


def read_photo(
    name: str,
    path: Path,
    row: PoseRow | None,
    map_path: Path | None,
    person_id: str,
    split: Split,
    conventions: Conventions,
    carried_path: Path | None = None,
) -> Example | Drop:
    """The photo with its annotations in its own pixels, or why it cannot be used.

    Arguments are those of `Photo`. Raises `InputError` if nothing is installed to estimate with.
    """
    estimating = conventions.estimating or Estimating(pose=False, parsing=False)
    if row is None and not estimating.pose:
        return Drop(name, "no row in the keypoints")
    if map_path is None and not estimating.parsing:
        return Drop(name, "no parsing map")
    try:
        image = read_image(path)
    except InputError as error:
        return Drop(name, "photo cannot be read", str(error))
    try:
        return _annotate(
            Photo(name, path, row, map_path, person_id, split, carried_path), image, conventions, estimating
        )
    except MisfitError as error:
        return Drop(name, error.reason, str(error))


def _annotate(
    photo: Photo, image: NDArray[np.uint8], conventions: Conventions, estimating: Estimating
) -> Example | Drop:
    """The ``image`` of ``photo`` with its annotations. Raises `MisfitError` if they are not its own."""
    name, size = photo.name, (image.shape[0], image.shape[1])
    silhouette = None
    doubts: list[str | None] = []
    choice: str | None = None
    own_frame: tuple[int, int] | None = size
    if photo.pose is None:
        try:
            annotation = estimating.annotators().pose(image, name)
        except NobodyFoundError:
            return Drop(name, "nobody found")
        person = annotation.person
        if not person.is_likely:
            return Drop(name, "no likely person", "what was found has hardly the shape of one")
        pose, silhouette = person.pose, person.silhouette
        doubts += person.doubts
        choice = annotation.choice and annotation.choice.removeprefix(f"{name}: ")
    else:
        try:
            chosen, own_frame = load_pose(photo.pose, conventions.frame or size, conventions.min_confidence)
        except InputError as error:
            return Drop(name, "keypoints cannot be read", str(error))
        pose, choice = chosen.pose, chosen.choice
    frame = own_frame or conventions.frame or size
    if own_frame not in (None, conventions.frame, *conventions.map_frames) and not has_same_shape(frame, size):
        detail = f"they are for {height_by_width(frame)}, the photo is {height_by_width(size)}"
        return Drop(name, OTHER_FRAME, detail)
    pose = pose if frame == size else pose_into_photo(pose, frame, size)
    if photo.pose is not None:
        check_within(pose, size, "keypoints", name)
    if photo.parsing is None:
        if photo.pose is not None and (people := estimating.annotators().find_people(image)) is not None:
            doubts.append(check_somebody(pose, size, people, "keypoints", name))
            match = people.match(pose)
            silhouette = None if match is None else match.silhouette
        found = estimating.annotators().parsing(ParsingRequest(image, pose, silhouette))
        if not found.labels.any():
            return Drop(name, "nobody in the estimated parsing map")
        carried = None if found.carried is None else found.carried.astype(np.uint8)
        attributes = _to_attributes([*doubts, *found.doubts], choice)
        kept = None if photo.pose is not None else _to_bytes(silhouette)
        known: tuple[Any, ...] = (photo.person, photo.split, attributes, carried, kept, True)
        return _cut(Example(name, image, found.labels, pose, *known), conventions.shape)
    map_path, scheme = photo.parsing, conventions.scheme
    try:
        ids, carried = read_label_ids(map_path, scheme), None
        if photo.carried is not None:
            carried = read_carried(photo.carried)
            if carried.shape != ids.shape:
                raise InputError(f"{photo.carried} has another size than {map_path}")
    except InputError as error:
        return Drop(name, "parsing map cannot be used", str(error))
    own_size = (ids.shape[0], ids.shape[1])
    if own_size not in (size, conventions.frame, *conventions.map_frames):
        detail = f"{map_path} is {height_by_width(own_size)}, the photo {height_by_width(size)}"
        return Drop(name, "parsing map of another size", detail)
    check_label_ids(ids, scheme, str(map_path))
    try:
        parsing = merge_labels(ids, scheme, pose if own_size == size else pose_into_photo(pose, size, own_size))
    except InputError as error:
        return Drop(name, "parsing map cannot be merged", f"{map_path} has {error}")
    carried = find_carried(ids, scheme) if carried is None else carried
    if own_size != size:
        parsing = parsing_into_photo(parsing, size)
        carried = None if carried is None else parsing_into_photo(carried, size)
    body = parsing if carried is None else np.maximum(parsing, carried)
    if (doubt := check_on_body(pose, body, str(map_path), "keypoints", photo.pose is None)) is not None:
        return Drop(name, OFF_BODY, doubt)
    known = (
        photo.person,
        photo.split,
        _to_attributes(doubts, choice),
        carried,
        _to_bytes(silhouette),
        is_estimated_map(map_path),
    )
    return _cut(Example(name, image, parsing, pose, *known), conventions.shape)


def _to_attributes(doubts: Sequence[str | None], choice: str | None) -> dict[str, str]:
    """What annotators doubt, and which of several people is taken, as a store keeps it."""
    said = {DOUBTS: "; ".join(doubt for doubt in doubts if doubt), CHOICE: choice}
    return {name: text for name, text in said.items() if text}


def _to_bytes(silhouette: NDArray[np.floating] | None) -> NDArray[np.uint8] | None:
    """A silhouette, 0 to 1 (H, W), as a store keeps it: uint8, 0 to 255."""
    return None if silhouette is None else np.rint(255 * silhouette.clip(0, 1)).astype(np.uint8)


def _cut(example: Example, shape: tuple[int, int] | None) -> Example:
    """A square photo without the columns at its sides that a photo of the ratio of ``shape`` does not show."""
    height, width = example.parsing.shape
    kept = width if shape is None else round(height * shape[1] / shape[0])
    if width != height or kept >= width:
        return example
    left = (width - kept) // 2
    pixels = {"image": example.image, "parsing": example.parsing, **example.masks}
    cut: dict[str, Any] = {name: values[:, left : left + kept] for name, values in pixels.items()}
    return replace(example, pose=example.pose - np.array((left, 0), np.float32), **cut)
