"""Borders between labels: which labels are near a pixel, and outlines without jags."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

_TRUNCATE = 2  # standard deviations, from which on a Gaussian is left out


def find_near_labels(labels: NDArray[np.integer], radius: float) -> Tensor:
    """For each pixel of ``labels`` (H, W) a bit, ``1 << id``, for each label within ``radius`` pixels: int (H, W)."""
    found, reach = np.zeros(labels.shape, np.int32), max(1, round(radius))
    for label, box in _find_boxes(labels, reach):
        near = ndimage.maximum_filter((labels[box] == label).astype(np.uint8), 2 * reach + 1)
        found[box] |= near.astype(np.int32) << label
    return torch.from_numpy(found)


def smooth_outlines(labels: Tensor, sigma: float) -> Tensor:
    """``labels`` (H, W) with the one that most pixels around have, under a Gaussian of ``sigma`` pixels."""
    map_ = labels.numpy()
    best, result = np.zeros(map_.shape, np.float32), map_.copy()
    for label, box in _find_boxes(map_, round(_TRUNCATE * sigma) + 1):
        share = ndimage.gaussian_filter((map_[box] == label).astype(np.float32), sigma, truncate=_TRUNCATE)
        result[box][share > best[box]] = label
        best[box] = np.maximum(best[box], share)
    return torch.from_numpy(result)


def _find_boxes(labels: NDArray[np.integer], margin: int) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Each of ``labels`` (H, W) that there is, with the rows and columns that hold it and ``margin`` pixels around."""
    for label, box in enumerate(ndimage.find_objects(labels.astype(np.int32) + 1)):
        if box is not None:
            rows, columns = (slice(max(0, side.start - margin), side.stop + margin) for side in box)
            yield label, (rows, columns)
