"""A close-up of a person in a photo of any size, for a network whose frame has one size, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Of the person's longer side, left around it; the parser is trained with as much.
_MARGIN = 0.1

# How many times the frame scores are enlarged at most; from there on labels are, which is faster.
_SMOOTH = 4


@dataclass(frozen=True)
class PersonCrop:
    """Part of a photo of ``size`` that has the shape of ``frame``; beyond the photo its border is repeated.

    Sizes are (height, width).
    """

    size: tuple[int, int]
    frame: tuple[int, int]
    top: int
    left: int
    height: int
    width: int

    @classmethod
    def of(cls, body: NDArray[np.bool_], frame: tuple[int, int]) -> PersonCrop:
        """What shows ``body``, a mask (height, width), with a margin; the whole photo if the mask is empty."""
        size = (body.shape[0], body.shape[1])
        if not body.any():
            body = np.ones_like(body)
        spans = [np.flatnonzero(body.any(axis=1))[[0, -1]], np.flatnonzero(body.any(axis=0))[[0, -1]]]
        room = 2 * _MARGIN * max(int(high - low + 1) for low, high in spans)
        scale = max((high - low + 1 + room) / side for (low, high), side in zip(spans, frame, strict=True))
        height, width = (max(1, round(scale * side)) for side in frame)
        top, left = (
            round((low + high + 1 - side) / 2) for (low, high), side in zip(spans, (height, width), strict=True)
        )
        return cls(size, frame, top, left, height, width)

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo, uint8 (H, W, 3), in the frame."""
        return np.asarray(Image.fromarray(self._cut(image)).resize(self.frame[::-1], Image.Resampling.BILINEAR))

    def soft(self, mask: NDArray[np.floating]) -> NDArray[np.float32]:
        """A mask, 0 to 1 (H, W), in the frame, in 256 shades."""
        shades = np.rint(255 * mask.clip(0, 1)).astype(np.uint8)
        return (self.image(shades) / 255).astype(np.float32)

    def pose(self, pose: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (18, 2) in the frame; NaN where they are outside of it."""
        found = (np.asarray(pose, np.float64) + 0.5 - (self.left, self.top)) * self._scale() - 0.5
        inside = ((found > -0.5) & (found < np.array(self.frame[::-1]) - 0.5)).all(axis=1, keepdims=True)
        return np.where(inside, found, np.nan).astype(np.float32)

    def back(self, scores: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The labels of the highest of ``scores``, (labels, H, W) in the frame, in the photo, with zeros around them.

        Scores are enlarged, not labels, so that outlines are as smooth in the photo.
        """
        height, width = (
            min(side, _SMOOTH * own) for side, own in zip((self.height, self.width), self.frame, strict=True)
        )
        ids, best = np.zeros((height, width), np.uint8), np.full((height, width), -np.inf, np.float32)
        for label in np.unique(scores.argmax(0)):
            found = np.asarray(Image.fromarray(scores[label]).resize((width, height), Image.Resampling.BILINEAR))
            higher = found > best
            ids[higher], best[higher] = label, found[higher]
        large = np.asarray(Image.fromarray(ids).resize((self.width, self.height), Image.Resampling.NEAREST))
        rows, columns = (
            slice(max(0, start), min(start + length, side))
            for start, length, side in zip((self.top, self.left), large.shape, self.size, strict=True)
        )
        whole = np.zeros(self.size, np.uint8)
        whole[rows, columns] = large[
            rows.start - self.top : rows.stop - self.top, columns.start - self.left : columns.stop - self.left
        ]
        return whole

    def _scale(self) -> NDArray[np.float64]:
        """Frame pixels for one of the photo, in x and y."""
        return np.array(self.frame[::-1]) / (self.width, self.height)

    def _cut(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        rows = np.arange(self.top, self.top + self.height).clip(0, self.size[0] - 1)
        columns = np.arange(self.left, self.left + self.width).clip(0, self.size[1] - 1)
        return np.ascontiguousarray(array[rows][:, columns])
