"""All of what someone carries: maps often show a part of a bag, and the rest would stay behind in mid-air."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Mask = NDArray[np.bool_]

#: How far around a thing more of it is looked for, as a share of its longer side; the longer side, in pixels, of the
#: copy in which that is done; and in how many rounds.
_AROUND, _LARGEST, _ROUNDS = 0.5, 200, 3
#: What is smaller, as a share of the photo, is no part of anything.
_SPECK = 0.0004
_SEED = 5


def complete_things(image: NDArray[np.uint8], carried: Mask, figure: Mask) -> Mask:
    """``carried`` (H, W) of ``image`` (H, W, 3) with its convex hull, and all beside ``figure`` that looks like it.

    The latter by GrabCut (Rother et al. 2004) of OpenCV, which the extra ``photo`` brings; without it, the hull alone.
    """
    if not carried.any():
        return carried
    from skimage.morphology import convex_hull_object  # takes long to import, and is seldom needed

    found = np.asarray(convex_hull_object(carried))
    try:
        import cv2
    except ImportError:
        return found
    cv2.setRNGSeed(_SEED)
    for rows, columns in ndimage.find_objects(ndimage.label(found)[0]):
        if found[rows, columns].sum() < _SPECK * found.size:
            continue
        margin = round(_AROUND * max(rows.stop - rows.start, columns.stop - columns.start)) + 2
        box = tuple(
            slice(max(0, side.start - margin), min(end, side.stop + margin))
            for side, end in zip((rows, columns), carried.shape, strict=True)
        )
        found[box] |= _grow(cv2, image[box], carried[box], figure[box])
    return found & ~figure


def _grow(cv2: Any, image: NDArray[np.uint8], carried: Mask, figure: Mask) -> Mask:
    """What of a part of a photo looks like what is ``carried`` there, hangs with it, and ends within it."""
    size = tuple(max(3, round(side * min(1.0, _LARGEST / max(carried.shape)))) for side in carried.shape)
    small = _resize(image, size)
    known, other = (_resize(mask.astype(np.uint8) * 255, size) > 127 for mask in (carried, figure))
    sure = ndimage.binary_erosion(known, iterations=2) & ~other
    hints = np.where(known, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    hints[sure] = cv2.GC_FGD
    hints[other] = hints[[0, -1]] = hints[:, [0, -1]] = cv2.GC_BGD
    if not (hints == cv2.GC_FGD).any():
        return carried
    # Clothes may have the colors of a bag: what it is told from is the background alone.
    near = ndimage.distance_transform_edt(other | known, return_distances=False, return_indices=True)
    small = np.where(other[..., None], small[near[0], near[1]], small)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, hints, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    parts, _ = ndimage.label((hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD) | known)
    own = np.unique(parts[known])
    grown = np.isin(parts, own[own > 0])
    return _resize(grown.astype(np.uint8) * 255, carried.shape) > 127


def _resize(array: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    height, width = size
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize((width, height), Image.Resampling.BILINEAR))
