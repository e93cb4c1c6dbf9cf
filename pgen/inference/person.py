"""A person of one photo, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pgen.body.crop import CropBox, Letterbox
from pgen.body.joints import known_joints
from pgen.body.labels import Label
from pgen.body.masks import RADIUS
from pgen.errors import InputError

# What is left around a person when the photo is cropped, of the body's longer side, and by how much the person must
# come out larger for it to be worth it.
_MARGIN, _WORTH = 0.15, 1.25
# How many times as large as the part around somebody a photo is in which networks hardly see them.
_SMALL = 3.0


class ArrayData:
    """Base of frozen data classes with arrays, with ``eq=False``: equal by content, and keys of a cache."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or all(map(_are_equal, vars(self).values(), vars(other).values()))

    def __hash__(self) -> int:
        return hash(repr(self))


def _are_equal(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first is second or np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return not (isinstance(first, np.ndarray) or isinstance(second, np.ndarray)) and first == second


#: From here on a silhouette, 0 to 1, says that a pixel is of the person.
SILHOUETTE_THRESHOLD = 0.35


@dataclass(frozen=True, eq=False, repr=False)
class Person(ArrayData):
    """A person of one photo, with pose and parsing map: made by `Predictor.person`, and given to its other verbs.

    Plain data: it can be kept, pickled and compared, and knows no networks. Arrays are not to be changed in place:
    ``dataclasses.replace(person, parsing=…)`` makes a person with another map.

    >>> import numpy as np
    >>> import pgen
    >>> from pgen.body.crop import CropBox
    >>> photo = np.zeros((400, 300, 3), np.uint8)
    >>> pose, parsing = np.zeros((18, 2), np.float32), np.zeros((200, 100), np.uint8)
    >>> person = pgen.Person("ann.jpg", photo, CropBox(100, 50, 300, 150), pose, parsing)
    >>> person
    Person('ann.jpg', 200x100 of 400x300)
    >>> person.image.shape
    (200, 100, 3)
    """

    name: str  #: the photo's file name
    photo: NDArray[np.uint8]  #: the whole photo, (height, width, 3) RGB
    crop: CropBox  #: the part of it that is worked on, all of it unless it was cropped; H and W are its sides
    #: joints (18, 2) of (x, y) in that part's pixels, NaN = missing; shoulders and hips known
    pose: NDArray[np.float32]
    parsing: NDArray[np.uint8]  #: label ids 0-9 of that part, (H, W)
    warnings: tuple[str, ...] = ()  #: what had to be made up, or is doubtful
    notes: tuple[str, ...] = ()  #: what was estimated, and by what
    carried: NDArray[np.bool_] | None = None  #: what is carried in that part, (H, W): left out in other poses
    #: where in that part the person is with all that is worn and carried, (H, W), if it was found
    silhouette: NDArray[np.bool_] | None = None
    #: the whole photo before any background, (height, width, 4), if that is seen through it; ``photo`` is it over white
    rgba: NDArray[np.uint8] | None = None

    def __repr__(self) -> str:
        (height, width), (whole_height, whole_width) = self.crop.size, self.photo.shape[:2]
        part = "" if self.photo.shape[:2] == self.crop.size else f" of {whole_height}x{whole_width}"
        return f"Person({self.name!r}, {height}x{width}{part})"

    @property
    def image(self) -> NDArray[np.uint8]:
        """The part of the photo that is worked on: uint8 (H, W, 3), a view."""
        return self.crop.of(self.photo)

    @property
    def alpha(self) -> NDArray[np.uint8] | None:
        """How opaque the part of the photo that is worked on is, (H, W); None: all of it is."""
        return None if self.rgba is None else self.crop.of(self.rgba)[..., 3]

    @property
    def is_cut_out(self) -> bool:
        """Whether the photo shows hardly anything but people, before no background."""
        around = self.parsing == Label.BACKGROUND
        return self.alpha is not None and bool(around.any() and (self.alpha[around] < 128).mean() > 0.5)

    @property
    def extent(self) -> NDArray[np.bool_]:
        """Where in that part the person is with all that is worn and carried, (H, W), as map and silhouette have it."""
        masks = (self.carried, self.silhouette)
        return np.logical_or.reduce([self.parsing != Label.BACKGROUND, *(mask for mask in masks if mask is not None)])

    def expand_parsing(self, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A map (H, W) of the part that is worked on as one of the whole photo: uint8 (height, width)."""
        whole = np.full(self.photo.shape[:2], Label.BACKGROUND, np.uint8)
        self.crop.of(whole)[:] = parsing
        return whole


def find_crop(pose: NDArray[np.floating], parsing: NDArray[np.uint8], frame: tuple[int, int]) -> CropBox:
    """The part of a photo around the person of ``pose`` (18, 2) and ``parsing`` (H, W), in the shape of ``frame``.

    All of the photo if the networks, which see it in ``frame`` (height, width), would see hardly more of the person.
    """
    whole = CropBox.whole((parsing.shape[0], parsing.shape[1]))
    joints = pose[known_joints(pose)]
    left, top = np.maximum(np.ceil(joints.min(axis=0) - RADIUS), 0).astype(int)
    right, bottom = np.maximum(np.floor(joints.max(axis=0) + RADIUS), 0).astype(int)
    figure = parsing != Label.BACKGROUND
    figure[top : bottom + 1, left : right + 1] = True
    crop = CropBox.around(figure, frame, _MARGIN)
    scales = [max(Letterbox.of(part.size, frame).content) / max(part.size) for part in (crop, whole)]
    return crop if scales[0] / scales[1] >= _WORTH else whole


def tell_part(person: Person) -> Person:
    """``person``, who says so if a part of the photo is worked on."""
    if person.crop.size == person.photo.shape[:2]:
        return person
    height, width = person.crop.size
    note = f"{person.name}: the part of {width}x{height} pixels around the person is worked on"
    return replace(person, notes=(*person.notes, note))


def tell_smallness(person: Person, frame: tuple[int, int]) -> Person:
    """``person``, who says so if networks that see all of the photo in ``frame`` (height, width) see little of them."""
    part = find_crop(person.pose, person.parsing, frame)
    if max(part.size) * _SMALL > max(person.crop.size):
        return person
    doubt = f"{person.name}: the person is so small that networks see little of them; let the photo be cropped"
    return replace(person, warnings=(*person.warnings, doubt))


def check_person(person: object) -> None:
    """Refuse what is no `Person`, such as a photo, with an `InputError`."""
    if not isinstance(person, Person):
        raise InputError(f"this takes a Person, not {type(person).__name__}; make one with Predictor.person first")
