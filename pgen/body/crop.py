"""Fitting photos of any size, or parts of them, into a network's frame, and bringing results back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.enlarging import enlarge_labels

# Of the person's longer side, left around a close-up; the parser is trained with as much.
_MARGIN = 0.1

# How many times the frame scores are enlarged at most; from there on labels are, which is faster.
_SMOOTH = 4

_STRIP = 256  # rows that are worked on at a time

_SHAPE_TOLERANCE = 0.02  # by which the ratio of the sides of one picture in two sizes may differ through rounding


@dataclass(frozen=True)
class Letterbox:
    """How a photo lies in a frame: scaled as a whole until it just fits, centered, the rest padded.

    Photos are padded on each side with the median color of the outermost row or column there, which continues a plain
    background even where the body is cut off; parsing maps with background. Sides of the scaled photo are whole pixels,
    so the two axes' scales may differ by that rounding. Sizes are (height, width).
    """

    original: tuple[int, int]
    frame: tuple[int, int]

    @classmethod
    def of(cls, original_size: tuple[int, int], frame_size: tuple[int, int]) -> Letterbox:
        """Fit a photo of ``original_size`` into ``frame_size``. Raises ValueError for sizes below 1."""
        if min(*original_size, *frame_size) < 1:
            raise ValueError(f"sizes must be at least 1, not {original_size} and {frame_size}")
        return cls((int(original_size[0]), int(original_size[1])), (int(frame_size[0]), int(frame_size[1])))

    @property
    def content(self) -> tuple[int, int]:
        """Size of the scaled photo within the frame."""
        scale = min(self.frame[0] / self.original[0], self.frame[1] / self.original[1])
        height, width = (max(1, round(side * scale)) for side in self.original)
        return height, width

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the frame where the scaled photo begins."""
        return (self.frame[0] - self.content[0]) // 2, (self.frame[1] - self.content[1]) // 2

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the frame that the scaled photo takes up."""
        top, left = self.corner
        return slice(top, top + self.content[0]), slice(left, left + self.content[1])

    def pose(self, pose: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (..., 2) of (x, y) in the photo as joints in the frame; NaN stays NaN."""
        corners = (np.asarray(pose, np.float64) + 0.5) * self._scale() + self.corner[::-1]
        return (corners - 0.5).astype(np.float32)

    def pose_back(self, pose: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (..., 2) of (x, y) in the frame as joints in the photo; NaN stays NaN."""
        corners = (np.asarray(pose, np.float64) + 0.5 - self.corner[::-1]) / self._scale()
        return (corners - 0.5).astype(np.float32)

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo, uint8 (height, width, 3), in the frame: Lanczos filtered, padded."""
        content = _resize(self._checked(image, self.original), self.content, Image.Resampling.LANCZOS)
        framed = np.empty((*self.frame, 3), dtype=np.uint8)
        rows, columns = self.window
        framed[rows, columns] = content
        framed[rows, : columns.start] = np.median(content[:, 0], axis=0)
        framed[rows, columns.stop :] = np.median(content[:, -1], axis=0)
        framed[: rows.start] = np.median(content[0], axis=0)
        framed[rows.stop :] = np.median(content[-1], axis=0)
        return framed

    def image_back(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture in the frame, uint8 (height, width, 3), at the photo's size: Lanczos filtered."""
        return _resize(self._checked(image, self.frame)[self.window], self.original, Image.Resampling.LANCZOS)

    def parsing(self, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo's parsing map, uint8 (height, width), in the frame: nearest label, background around."""
        return self.mask(parsing, is_soft=False)

    def mask(self, mask: NDArray[np.uint8], is_soft: bool) -> NDArray[np.uint8]:
        """A mask of the photo, uint8 (height, width), in the frame, zeros around: nearest, or soft, interpolated."""
        framed = np.zeros(self.frame, dtype=np.uint8)
        method = Image.Resampling.BILINEAR if is_soft else Image.Resampling.NEAREST
        framed[self.window] = _resize(self._checked(mask, self.original), self.content, method)
        return framed

    def parsing_back(self, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A parsing map in the frame, uint8 (height, width), at the photo's size: nearest label."""
        return _resize(self._checked(parsing, self.frame)[self.window], self.original, Image.Resampling.NEAREST)

    def _scale(self) -> NDArray[np.float64]:
        """Frame pixels for one pixel of the photo, in x and y."""
        return np.array(self.content[::-1]) / np.array(self.original[::-1])

    def _checked(self, array: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
        if array.shape[:2] != size or array.dtype != np.uint8:
            raise ValueError(f"expected uint8 of height and width {size}, not {array.dtype} {array.shape}")
        return array


@dataclass(frozen=True)
class CropBox:
    """A part of a photo: rows ``top`` to ``bottom``, columns ``left`` to ``right``, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def whole(cls, size: tuple[int, int]) -> CropBox:
        """All of a photo of ``size`` (height, width)."""
        return cls(0, 0, size[0], size[1])

    @classmethod
    def around(cls, body: NDArray[np.bool_], frame: tuple[int, int], margin: float, beyond: bool = False) -> CropBox:
        """What shows ``body``, a mask (height, width), with ``margin`` times its longer side left around it.

        Grown to the shape of ``frame``, as far as the photo reaches or ``beyond``. The whole photo for an empty mask.
        """
        size = (body.shape[0], body.shape[1])
        places = [np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))]
        if not places[0].size:
            return cls.whole(size)
        spans = [(int(place[0]), int(place[-1]) + 1) for place in places]
        room = 2 * margin * max(high - low for low, high in spans)
        scale = max((high - low + room) / side for (low, high), side in zip(spans, frame, strict=True))
        ends = []
        for (low, high), side, length in zip(spans, frame, size, strict=True):
            span = max(1, round(scale * side)) if beyond else min(length, int(np.ceil(scale * side)))
            start = round((low + high - span) / 2)
            start = start if beyond else int(np.clip(start, 0, length - span))
            ends.append((start, start + span))
        return cls(ends[0][0], ends[1][0], ends[0][1], ends[1][1])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.bottom - self.top, self.right - self.left

    @property
    def corner(self) -> NDArray[np.float32]:
        """(x, y) of its first pixel in the photo."""
        return np.array((self.left, self.top), dtype=np.float32)

    def of(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of a photo or map (height, width, ...), as a view."""
        return array[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class PersonCrop:
    """A close-up of a person for a network: a box of a photo of ``size`` that has the shape of ``frame``."""

    size: tuple[int, int]
    frame: tuple[int, int]
    box: CropBox  #: may reach beyond the photo

    @classmethod
    def of(cls, body: NDArray[np.bool_], frame: tuple[int, int]) -> PersonCrop:
        """What shows ``body``, a mask (height, width), with a margin; the whole photo if the mask is empty."""
        shown = body if body.any() else np.ones_like(body)
        return cls((body.shape[0], body.shape[1]), frame, CropBox.around(shown, frame, _MARGIN, beyond=True))

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo, uint8 (H, W, 3), in the frame; beyond it its border is repeated."""
        sides = zip((self.box.top, self.box.left), (self.box.bottom, self.box.right), self.size, strict=True)
        # Of a box beyond the photo the last row or column is repeated.
        spans = [(min(max(first, 0), side - 1), max(min(end, side), 1), first, end) for first, end, side in sides]
        inner = tuple(slice(first, end) for first, end, _, _ in spans)
        beyond = [(max(0, first - low), max(0, high - end)) for first, end, low, high in spans]
        # One channel after the other: Pillow's copy of a large picture is larger than the picture.
        channels = np.moveaxis(image[..., None] if image.ndim == 2 else image, 2, 0)
        parts = (np.pad(one[inner], beyond, "edge") if np.any(beyond) else one[inner] for one in channels)
        found = [_resize(part, self.frame, Image.Resampling.BILINEAR) for part in parts]
        return np.stack(found, axis=-1).reshape(*self.frame, *image.shape[2:])

    def soft(self, mask: NDArray[np.floating]) -> NDArray[np.float32]:
        """A mask, 0 to 1 (H, W), in the frame, in 256 shades."""
        shades = np.empty(mask.shape, np.uint8)
        for top in range(0, len(mask), _STRIP):
            shades[top : top + _STRIP] = np.rint(255 * mask[top : top + _STRIP].clip(0, 1))
        return (self.image(shades) / 255).astype(np.float32)

    def pose(self, pose: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (18, 2) in the frame; NaN where they are outside of it."""
        sides = np.array(self.frame[::-1])
        found = (np.asarray(pose, np.float64) + 0.5 - self.box.corner) * (sides / self.box.size[::-1]) - 0.5
        inside = ((found > -0.5) & (found < sides - 0.5)).all(axis=1, keepdims=True)
        return np.where(inside, found, np.nan).astype(np.float32)

    def back(self, scores: NDArray[np.float32], photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """The labels of the highest of ``scores``, (labels, h, w), in the photo, with zeros around them.

        Scores are of the frame, whole or smaller; with ``photo`` (H, W, 3), probabilities. See `enlarge_labels`.
        """
        height, width = (min(side, _SMOOTH * own) for side, own in zip(self.box.size, self.frame, strict=True))
        picture = None if photo is None else PersonCrop(self.size, (height, width), self.box).image(photo)
        ids = enlarge_labels(scores, (height, width), picture)
        top, left = max(0, self.box.top), max(0, self.box.left)
        bottom, right = min(self.size[0], self.box.bottom), min(self.size[1], self.box.right)
        rows = ((np.arange(top, bottom) - self.box.top + 0.5) * (height / self.box.size[0])).astype(int)
        columns = ((np.arange(left, right) - self.box.left + 0.5) * (width / self.box.size[1])).astype(int)
        whole = np.zeros(self.size, np.uint8)
        whole[top:bottom, left:right] = ids[rows[:, None], columns]
        return whole


def scale_pose(pose: NDArray[np.floating], old: tuple[int, ...], new: tuple[int, ...]) -> NDArray[np.float32]:
    """Joints (..., 2) of (x, y) in a picture of size ``old`` in the same picture of size ``new``; NaN stays NaN.

    Sizes are (height, width).
    """
    return ((pose + 0.5) * (np.array(new[1::-1]) / np.array(old[1::-1])) - 0.5).astype(np.float32)


def has_same_shape(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether two sizes (height, width) have the same ratio of sides, but for rounding: 1101x750 is 256x174.4."""
    return abs((first[0] * second[1]) / (first[1] * second[0]) - 1) <= _SHAPE_TOLERANCE


def _resize(array: NDArray[np.uint8], size: tuple[int, int], filter_: Image.Resampling) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize(size[::-1], filter_))
