"""Borders between labels: which labels are near a pixel, and outlines without jags."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor


def find_near_labels(labels: NDArray[np.integer], radius: float) -> Tensor:
    """For each pixel of ``labels`` (H, W) a bit, ``1 << id``, for each label within ``radius`` pixels: int (H, W)."""
    found = np.zeros(labels.shape, np.int32)
    for label in np.unique(labels):
        near = ndimage.maximum_filter((labels == label).astype(np.uint8), 2 * max(1, round(radius)) + 1)
        found |= near.astype(np.int32) << int(label)
    return torch.from_numpy(found)


def smooth_outlines(labels: Tensor, sigma: float) -> Tensor:
    """``labels`` (H, W) with the one that most pixels around have, under a Gaussian of ``sigma`` pixels."""
    map_ = labels.numpy()
    present = np.unique(map_)
    best, result = np.zeros(map_.shape, np.float32), map_.copy()
    for label in present:
        share = ndimage.gaussian_filter((map_ == label).astype(np.float32), sigma, truncate=2)
        result[share > best] = label
        best = np.maximum(best, share)
    return torch.from_numpy(result)
