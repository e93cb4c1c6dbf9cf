"""A person of one photo, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.crop import CropBox, Letterbox
from pgen.body.labels import Label
from pgen.body.masks import pose_masks
from pgen.inference.array_data import ArrayData

# What is left around a person when the photo is cropped, of the body's longer side, and by how much the person must
# come out larger for it to be worth it.
_MARGIN, _WORTH = 0.15, 1.25


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
    pose: NDArray[
        np.float32
    ]  #: joints (18, 2) of (x, y) in that part's pixels, NaN = missing; shoulders and hips known
    parsing: NDArray[np.uint8]  #: label ids 0-9 of that part, (H, W)
    warnings: tuple[str, ...] = ()  #: what had to be made up, or is doubtful
    notes: tuple[str, ...] = ()  #: what was estimated, and by what

    def __repr__(self) -> str:
        (height, width), (whole_height, whole_width) = self.crop.size, self.photo.shape[:2]
        part = "" if self.photo.shape[:2] == self.crop.size else f" of {whole_height}x{whole_width}"
        return f"Person({self.name!r}, {height}x{width}{part})"

    @property
    def image(self) -> NDArray[np.uint8]:
        """The part of the photo that is worked on: uint8 (H, W, 3), a view."""
        return self.crop.of(self.photo)

    def expand_parsing(self, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A map (H, W) of the part that is worked on as one of the whole photo: uint8 (height, width)."""
        whole = np.full(self.photo.shape[:2], Label.BACKGROUND, np.uint8)
        self.crop.of(whole)[:] = parsing
        return whole


def find_crop(pose: NDArray[np.floating], parsing: NDArray[np.uint8], frame: tuple[int, int]) -> CropBox:
    """The part of a photo around the person of ``pose`` (18, 2) and ``parsing`` (H, W), in the shape of ``frame``.

    All of the photo if the networks, which see it in ``frame`` (height, width), would see hardly more of the person.
    """
    size = (parsing.shape[0], parsing.shape[1])
    pose_mask = pose_masks(torch.from_numpy(pose)[None], size)[0, 0].numpy()
    crop = CropBox.around((parsing != Label.BACKGROUND) | (pose_mask > 0), frame, _MARGIN)
    scales = [max(Letterbox.of(part, frame).content) / max(part) for part in (crop.size, size)]
    return crop if scales[0] / scales[1] >= _WORTH else CropBox.whole(size)
