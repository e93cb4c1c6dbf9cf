"""Results and true photos in one size: DeepFashion's two frames are reconciled, nothing is ever scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from pgen.errors import InputError
from pgen.evaluation.methods import Prediction
from pgen.evaluation.photos import Photo

Picture = TypeVar("Picture", Photo, Prediction)

#: Widths of DeepFashion's frames at a height of 256, with and without the white borders.
_WIDE, _NARROW = 256, 176


def common_size(result: Sequence[int], true: Sequence[int]) -> tuple[int, int]:
    """The size (height, width) at which a result of shape ``result`` is compared with a photo of shape ``true``.

    Their own if it is the same; 256×176 where one is that and the other 256×256, or the like at another scale. Raises
    `InputError` for all else.
    """
    height, width = result[:2]
    if (height, width) == tuple(true[:2]):
        return height, width
    narrow, wide = sorted((width, true[1]))
    if height == true[0] and narrow * _WIDE == wide * _NARROW:
        return height, narrow
    raise InputError(
        f"wrong size: {height}x{width}, and the target has {true[0]}x{true[1]} (height x width); scores of scaled "
        "images would not compare"
    )


def crop_to_size(size: tuple[int, int], photo: Photo, result: Prediction) -> tuple[Photo, Prediction]:
    """Both cut to the middle columns, ``size`` (height, width); what is of another height stays as it is."""
    left = (photo.image.shape[1] - size[1]) // 2
    cropped = _crop(photo, size)
    if cropped is not photo and photo.pose is not None:
        cropped = replace(cropped, pose=(photo.pose - (left, 0)).astype(np.float32))
    return cropped, _crop(result, size)


def _crop(one: Picture, size: tuple[int, int]) -> Picture:
    left = (one.image.shape[1] - size[1]) // 2
    if one.image.shape[0] != size[0] or left <= 0:
        return one
    columns = slice(left, left + size[1])
    parsing = None if one.parsing is None else one.parsing[:, columns]
    return replace(one, image=one.image[:, columns], parsing=parsing)
