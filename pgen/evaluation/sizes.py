"""Results and true photos in one size: DeepFashion's two frames are reconciled, nothing is ever scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.methods import Prediction
from pgen.evaluation.photos import Photo

#: Widths of DeepFashion's frames at a height of 256, with and without the white borders.
_WIDE, _NARROW = 256, 176


def common_size(made: Sequence[int], true: Sequence[int]) -> tuple[int, int]:
    """The size (height, width) at which a result of shape ``made`` is compared with a photo of shape ``true``.

    Their own if it is the same; 256×176 where one is that and the other 256×256, or the like at another scale. Raises
    `InputError` for all else.
    """
    height, width = made[:2]
    if (height, width) == tuple(true[:2]):
        return height, width
    narrow, wide = sorted((width, true[1]))
    if height == true[0] and narrow * _WIDE == wide * _NARROW:
        return height, narrow
    raise InputError(
        f"wrong size: {height}x{width}, and the target has {true[0]}x{true[1]} (height x width); scores of scaled "
        "images would not compare"
    )


def crop_to_size(size: tuple[int, int], photo: Photo, made: Prediction) -> tuple[Photo, Prediction]:
    """Both cut to the middle columns, ``size`` (height, width); a photo of another height stays as it is."""
    height, width = photo.image.shape[:2]
    left = (width - size[1]) // 2
    if height == size[0] and left > 0:
        pose = None if photo.pose is None else (photo.pose - (left, 0)).astype(np.float32)
        photo = replace(photo, image=_cut(photo.image, size), pose=pose, parsing=_cut_map(photo.parsing, size))
    if made.image.shape[0] == size[0] and made.image.shape[1] > size[1]:
        made = Prediction(_cut(made.image, size), _cut_map(made.parsing, size))
    return photo, made


def _cut(array: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    left = (array.shape[1] - size[1]) // 2
    return array[:, left : left + size[1]]


def _cut_map(array: NDArray[np.uint8] | None, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    return None if array is None else _cut(array, size)
