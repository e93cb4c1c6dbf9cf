"""Putting painted pixels into a photo so that no edge shows, and every other pixel stays what it was."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

# How soft colors are that continue others, of plain and of patterned garments, as shares of the picture's longer side.
_CONTINUE_REACHES = (0.008, 0.05)
# Weights of neighbourhoods below this count as this: too little is known there.
_FAINT = 0.05
# Two colors closer than this (0-255, Euclidean) are too similar to find a mixture of them.
_DISTINCT = 24.0
# Widths of the neighbourhoods that correct a color, as shares of the picture's longer side: near, farther, far.
_REACHES = (0.008, 0.03, 0.12)
# Pixels that touch what is outside, be it by a corner, are mixtures with it.
_OUTERMOST = 1.5
# Gaussians have a standard deviation of at least so many blocks.
_BLOCKS = 4.0

_Scalar = TypeVar("_Scalar", bound=np.generic)
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def nearest_fill(image: NDArray[_Scalar], region: Mask) -> NDArray[_Scalar]:
    """``image`` (H, W) or (H, W, 3) with every pixel outside ``region`` (H, W) in the color of the nearest one inside.

    To enlarge a region without mixing in what lies beside it. The image itself if the region is empty.
    """
    if not region.any():
        return image
    rows, columns = ndimage.distance_transform_edt(~region, return_distances=False, return_indices=True)
    return np.asarray(image[rows, columns])


def erode_region(region: Mask, width: float) -> Mask:
    """The pixels of ``region`` (H, W) that are more than ``width`` pixels from what lies outside of it."""
    return np.asarray(ndimage.distance_transform_edt(region) > width)


def unmix_borders(image: Picture, region: Mask) -> Picture:
    """``image`` (H, W, 3) in the colors that ``region`` has inside of its outermost pixels, all over."""
    core = erode_region(region, _OUTERMOST)
    return nearest_fill(image, core if core.any() else region)


def match_local_mean(painted: Picture, guide: Picture, known: Mask, reach: float) -> Picture:
    """``painted`` (H, W, 3) with the mean colors that ``guide`` has in ``known``, over ``reach`` of the longer side.

    Detail stays. H_A tints white cloth like skin near joints, which its guide does not.
    """
    if not known.any():
        return painted
    sigma = max(1.0, reach * max(known.shape))
    weight = _blur(known, sigma)
    difference = _blur((guide.astype(np.float32) - painted) * known[..., None], sigma)
    result = painted + difference / np.maximum(weight, _FAINT)[..., None]
    return np.rint(np.clip(result, 0, 255)).astype(np.uint8)


def continue_texture(painted: Picture, known: Mask, region: Mask, plain: float) -> Picture:
    """``painted`` (H, W, 3) with the colors that it has in ``known`` carried on into the rest of ``region``.

    What the other photo does not show is painted in the garment's mean color, which makes patches. The more ``plain``
    a garment is (0 to 1), the more it goes on as it is nearby; a patterned one takes on the mean of a wider
    neighbourhood, with what pattern it has.
    """
    inner = erode_region(known, 1)
    unknown = region & ~known
    if not inner.any() or not unknown.any():
        return painted
    near, wide = (reach * max(region.shape) for reach in _CONTINUE_REACHES)
    nearby = _blur(nearest_fill(painted, inner).astype(np.float32), near)
    level = _average_around(painted, inner, wide) - _average_around(painted, unknown, wide)
    mixed = plain * nearby + (1 - plain) * (painted + level * unknown[..., None])
    outside = region & ~inner
    return np.where(outside[..., None], np.rint(np.clip(mixed, 0, 255)).astype(np.uint8), painted)


def _average_around(image: Picture, region: Mask, sigma: float) -> NDArray[np.float32]:
    """Mean color (H, W, 3) of ``region`` around each pixel; far from it, that of its nearest pixels."""
    weight = _blur(region, sigma)
    total = _blur(image.astype(np.float32) * region[..., None], sigma)
    mean = np.asarray(total / np.maximum(weight, 1e-4)[..., None], np.float32)
    return nearest_fill(mean, weight > 1e-2)


def replace_garment(photo: Picture, painted: Picture, region: Mask, old: Mask, width: float) -> Picture:
    """``photo`` with ``painted`` in ``region``, but for what mixes there with the surroundings of the ``old`` region.

    Within ``width`` pixels of the old region's border, a pixel's share of the region is found from the photo itself:
    where its color lies between those of the region and of its surroundings nearby. Only that share takes on the new
    color, the rest stays what is outside. Pixels outside of ``region`` are not touched.

    Args:
        photo, painted: uint8 (H, W, 3).
        region, old: bool (H, W): where the painted garment is to be, and where ``photo`` shows the one it replaces.
    """
    result = photo.copy()
    if not region.any():
        return result
    share = np.ones((*region.shape, 1), np.float32)
    beside = np.zeros(photo.shape, np.float32)
    inner = erode_region(old, width)
    if inner.any() and not old.all():
        # The nearest pixels, not means: garments may be patterned.
        was, beside = nearest_fill(photo, inner).astype(np.float32), nearest_fill(photo, ~old).astype(np.float32)
        towards = was - beside
        length = (towards**2).sum(axis=2)
        found = np.clip(((photo - beside) * towards).sum(axis=2) / np.maximum(length, 1), 0, 1)
        missed = np.abs(beside + found[..., None] * towards - photo).max(axis=2)
        mixture = old & ~inner & (length > _DISTINCT**2) & (missed < _DISTINCT)
        share = np.where(mixture, found, 1)[..., None]
    mixed = share * painted + (1 - share) * beside
    result[region] = np.rint(np.clip(mixed[region], 0, 255)).astype(np.uint8)
    return result


def match_borders(painted: Picture, photo: Picture, labels: NDArray[np.uint8], wanted: Mask, known: Mask) -> Picture:
    """``painted`` with its colors in ``wanted`` moved to those that ``photo`` has nearby for the same label.

    How painted and photo differ in ``known`` is carried over into ``wanted`` label by label, mostly from nearby: so new
    cloth meets the old without a step.

    Args:
        labels: uint8 (H, W), the map of the painted picture.
        wanted, known: bool (H, W): what is to be matched, and where ``photo`` shows the same label as ``labels``.
    """
    result = painted.astype(np.float32)
    difference = photo.astype(np.float32) - result
    longer = max(labels.shape)
    for label in np.unique(labels[wanted]):
        here = (labels == label) & known
        if not here.any():
            continue
        total, weight = np.zeros_like(difference), np.zeros(labels.shape, np.float32)
        for reach in _REACHES:
            sigma = max(1.0, reach * longer)
            # Narrow neighbourhoods count most where they hold anything.
            total += _blur(difference * here[..., None], sigma) / sigma**2
            weight += _blur(here, sigma) / sigma**2
        usual = np.median(difference[here], axis=0)
        shift = np.where(weight[..., None] > 1e-6, total / np.maximum(weight, 1e-6)[..., None], usual)
        place = wanted & (labels == label)
        result[place] += shift[place]
    return np.rint(np.clip(result, 0, 255)).astype(np.uint8)


def feather(photo: Picture, painted: Picture, changed: Mask, border: float) -> Picture:
    """``photo`` with ``painted`` in ``changed``, which fades out over ``border`` pixels around it.

    Pixels farther away are exactly the photo's.
    """
    if not changed.any():
        return photo.copy()
    away = ndimage.distance_transform_edt(~changed)
    share = np.clip(1 - away / (border + 1), 0, 1)[..., None]
    return np.rint(share * painted + (1 - share) * photo).astype(np.uint8)


def _blur(image: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """``image`` (H, W) or (H, W, 3) under a Gaussian; a wide one, which leaves no detail, of means of blocks."""
    pixels = np.asarray(image, np.float32).reshape(1, *image.shape[:2], -1)
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    step = max(1, int(sigma / _BLOCKS))
    blocks = F.avg_pool2d(planes, step, ceil_mode=True) if step > 1 else planes
    soft = ndimage.gaussian_filter(blocks[0].numpy(), (0, sigma / step, sigma / step), truncate=3)
    if step > 1:
        size = [step * side for side in soft.shape[1:]]
        large = F.interpolate(torch.from_numpy(soft)[None], size, mode="bilinear", align_corners=False)
        soft = large[0, :, : image.shape[0], : image.shape[1]].numpy()
    return np.ascontiguousarray(soft.transpose(1, 2, 0)).reshape(image.shape)
