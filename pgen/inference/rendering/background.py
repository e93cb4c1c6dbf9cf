"""What is behind a person: the photo's background with the figure taken out, once a photo."""

from __future__ import annotations

import os
import threading

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.inference.rendering.background_detail import Mask, Picture, find_detail
from pgen.inference.rendering.resizing import resize, resize_mask

#: Longer side, in pixels, of the copy that is filled; and how far in pixels the compared patches reach.
_COARSE, _PATCH = 320, 3
#: How far beyond the figure's outline is filled, and over how much the filling fades, as shares of the longer side.
_GROWN, _FADE = 0.014, 0.005
#: What is behind is of the same height in the photo, not sky on the ground: the copy is filled in overlapping bands,
#: so high as a share of it, and at least so many pixels; if more of one is to be filled, it is smoothly.
_BAND, _LOWEST, _MOST = 0.3, 60, 0.9
_ANY = 1 / 255  # the share of a pixel from which on it shows any of a mask
_SEED = 5
_HARDLY = 1e-12  # how much the mean color counts, where nothing else does


def _begin_matching() -> None:
    """What matches patches draws all its random numbers from one place: it is asked by one thread at a time."""
    global _is_matching
    _is_matching = threading.Lock()


_is_matching: threading.Lock
_begin_matching()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_matching)  # a thread that does not go along would hold it forever


def fill_background(image: Picture, figure: Mask) -> Picture:
    """``image`` (H, W, 3) with ``figure`` (H, W) taken out: filled with texture, or smoothly without PatchMatch.

    Away from the figure every pixel is the photo's.
    """
    if not figure.any():
        return image
    longer = max(figure.shape)
    away = ndimage.distance_transform_edt(~figure)
    hole = away <= _GROWN * longer
    if hole.all():
        return np.broadcast_to(np.median(image.reshape(-1, 3), axis=0).astype(np.uint8), image.shape).copy()
    size = _choose_coarse_size(figure.shape)
    # A pixel of the copy that holds any of the figure is part of the hole.
    mask = resize_mask(hole, size, Image.Resampling.BOX, _ANY)
    filled = _fill_hole(resize(image, size, Image.Resampling.BOX), mask)
    box = ndimage.find_objects((away < (_GROWN + _FADE) * longer).astype(np.uint8))[0]
    behind = _enlarge(image, filled, mask, box)
    share = np.clip((_GROWN * longer - away[box]) / (_FADE * longer) + 1, 0, 1)[..., None].astype(np.float32)
    result = image.copy()
    result[box] = np.rint(np.clip(share * behind + (1 - share) * image[box], 0, 255))
    return result


def fill_from(image: Picture, hole: Mask, known: Mask) -> Picture:
    """``image`` (H, W, 3) with ``hole`` (H, W) filled with what ``known`` (H, W), which is none of it, shows.

    It stays as it is if that is next to nothing.
    """
    box = ndimage.find_objects((hole | known).astype(np.uint8))[0]
    part, empty = image[box], hole[box]
    size = _choose_coarse_size(empty.shape)
    is_seen = resize_mask(known[box], size, Image.Resampling.BOX, 1)
    if not is_seen.any():
        return image
    small = resize(part, size, Image.Resampling.BOX)
    is_empty = resize_mask(empty, size, Image.Resampling.BOX, _ANY) & ~is_seen
    if has_patch_match():
        filled = _match_patches(small, is_empty, ~is_seen & ~is_empty)
    else:
        filled = _fill_smoothly(small, ~is_seen)
    behind = _enlarge(part, filled, ~is_seen, (slice(0, empty.shape[0]), slice(0, empty.shape[1])))
    result = image.copy()
    result[box][empty] = np.rint(np.clip(behind[empty], 0, 255))
    return result


def spread_smoothly(image: Picture, known: Mask) -> NDArray[np.float32]:
    """The colors that ``image`` (H, W, 3) has where it is ``known`` (H, W), and smoothly carried on elsewhere."""
    size = _choose_coarse_size(known.shape)
    is_seen = resize_mask(known, size, Image.Resampling.BOX, 1)
    if not is_seen.any():
        return np.broadcast_to(image[known].mean(axis=0), image.shape).astype(np.float32)
    filled = Image.fromarray(_fill_smoothly(resize(image, size, Image.Resampling.BOX), ~is_seen))
    return np.asarray(filled.resize(known.shape[::-1], Image.Resampling.BICUBIC), np.float32)


def _choose_coarse_size(size: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1.0, _COARSE / max(size))
    height, width = (max(1, round(side * scale)) for side in size)
    return height, width


def _enlarge(image: Picture, filled: Picture, hole: Mask, box: tuple[slice, slice]) -> NDArray[np.float32]:
    """``box`` of ``filled`` (h, w, 3) at the size of ``image`` (H, W, 3), with detail that it has beside ``hole``."""
    enlarged = np.asarray(Image.fromarray(filled).resize(image.shape[1::-1], Image.Resampling.BICUBIC))
    if enlarged.shape == filled.shape:
        return enlarged[box].astype(np.float32)
    return enlarged[box] + find_detail(image, enlarged, filled, hole, box)


def has_patch_match() -> bool:
    """Whether texture can be filled in: pypatchmatch is installed, and works here."""
    try:
        from patchmatch import patch_match
    except (ImportError, OSError):
        return False
    return bool(patch_match.patchmatch_available)


def _fill_hole(image: Picture, hole: Mask) -> Picture:
    if not hole.any():
        return image
    if hole.all() or not has_patch_match():
        return _fill_smoothly(image, hole)
    total, weight = np.zeros(image.shape, np.float32), np.zeros((len(hole), 1, 1), np.float32)
    height = min(len(hole), max(_LOWEST, round(_BAND * len(hole))))
    count = 1 + int(np.ceil(2 * (len(hole) - height) / height))
    for top in np.linspace(0, len(hole) - height, count).round().astype(int):
        rows = slice(top, top + height)
        share = np.minimum(np.arange(1, height + 1), np.arange(height, 0, -1)).astype(np.float32)[:, None, None]
        total[rows] += share * _match_patches(image[rows], hole[rows])
        weight[rows] += share
    return np.where(hole[..., None], np.rint(total / weight), image).astype(np.uint8)


def _match_patches(image: Picture, hole: Mask, unused: Mask | None = None) -> Picture:
    """``image`` with ``hole`` filled by PatchMatch, from all but what is ``unused``."""
    if not hole.any():
        return image
    if hole.mean() > _MOST:
        return _fill_smoothly(image, hole)
    from patchmatch import patch_match

    mask, left = (None if part is None else part[..., None].astype(np.uint8) * 255 for part in (hole, unused))
    with _is_matching:
        patch_match.set_random_seed(_SEED)
        filled = patch_match.inpaint(np.ascontiguousarray(image), mask, global_mask=left, patch_size=_PATCH)
    return np.asarray(filled, np.uint8)


def _fill_smoothly(image: Picture, hole: Mask) -> Picture:
    """The colors beside the hole carried on into it, softer the farther they are."""
    known = (~hole).astype(np.float32)
    total = _HARDLY * np.ones(image.shape, np.float32) * image.reshape(-1, 3).mean(axis=0)
    weight = np.full(hole.shape, _HARDLY, np.float32)
    reach = 1.5
    while reach < max(hole.shape):
        near = ndimage.gaussian_filter(known, reach) / reach**3
        total += ndimage.gaussian_filter(image * known[..., None], (reach, reach, 0)) / reach**3
        weight += near
        reach *= 2
    smooth = total / weight[..., None]
    return np.where(hole[..., None], np.rint(smooth), image).astype(np.uint8)
