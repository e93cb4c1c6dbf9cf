"""All of what someone carries: maps often show a part of a bag, and the rest would stay behind in mid-air."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.labels import CLOTH_LABELS, Label
from pgen.inference.person import Person
from pgen.inference.rendering.resizing import resize, resize_mask

Mask = NDArray[np.bool_]

#: How far around a thing more of it is looked for, as a share of its longer side; the longer side, in pixels, of the
#: copy in which that is done; and in how many rounds.
_AROUND, _LARGEST, _ROUNDS = 0.5, 200, 3
#: What is smaller, as a share of the photo, is no part of anything.
_SPECK = 0.0004
_SEED = 5
#: What of clothes is so near to a thing, as a share of its longer side, is a part of it if it looks unlike the cloth of
#: its label around: so many shades of 256 away from it at least, and so many times as far as the median of it.
#: Outlines, of so many pixels of a photo of 1000, are not asked, and go with it.
_BESIDE, _SHADES, _SPREAD, _OUTLINE = 0.15, 28.0, 4.0, 2.0
_FEW = 20  # pixels that are too few to tell anything


def find_carried(person: Person) -> Mask:
    """What somebody carries, (H, W), also where the map calls it cloth, or background."""
    if person.carried is None:
        return np.zeros(person.crop.size, bool)
    carried = person.carried | find_rest_on_clothes(person.image, person.carried, person.parsing)
    return carried | complete_things(person.image, carried, (person.parsing != Label.BACKGROUND) & ~carried)


def find_rest_on_clothes(image: NDArray[np.uint8], carried: Mask, labels: NDArray[np.uint8]) -> Mask:
    """What of clothes in ``labels`` (H, W) belongs to something ``carried`` (H, W) before them: (H, W).

    Maps often call a bag's flap or corner cloth, and clothes would be made of it.
    """
    found, wide = np.zeros_like(carried), max(1, round(_OUTLINE * max(carried.shape) / 1000))
    for part, rows, columns in _list_things(carried):
        from skimage.morphology import convex_hull_object

        box = _box_around(rows, columns, carried.shape)
        own, shown = part[box], image[box].astype(np.float32)
        reach = _BESIDE * max(rows.stop - rows.start, columns.stop - columns.start)
        is_near = ndimage.distance_transform_edt(~convex_hull_object(own)) < reach
        unlike = np.zeros_like(own)
        for label in CLOTH_LABELS:
            cloth = labels[box] == label
            asked, around = cloth & is_near, shown[cloth & ~is_near]
            if asked.sum() >= _FEW and len(around) >= _FEW:
                middle = np.median(around, axis=0)
                most = np.maximum(_SPREAD * np.median(np.abs(around - middle), axis=0), _SHADES)
                unlike |= asked & (np.abs(shown - middle) > most).any(axis=2)
        rest = find_connected(ndimage.binary_opening(unlike, iterations=wide) | own, own) & unlike
        found[box] |= ndimage.binary_dilation(rest, iterations=wide + 1) & np.isin(labels[box], CLOTH_LABELS)
    return found


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
    for _, rows, columns in _list_things(found):
        box = _box_around(rows, columns, carried.shape)
        found[box] |= _grow(cv2, image[box], carried[box], figure[box])
    return found & ~figure


def _list_things(carried: Mask) -> Iterator[tuple[Mask, slice, slice]]:
    """Each thing that is no speck, (H, W), with its rows and columns."""
    parts, _ = ndimage.label(carried)
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
        if np.count_nonzero(parts[rows, columns] == number) >= _SPECK * carried.size:
            yield parts == number, rows, columns


def _box_around(rows: slice, columns: slice, size: tuple[int, ...]) -> tuple[slice, ...]:
    """Rows and columns of a thing with what is around it."""
    margin = round(_AROUND * max(rows.stop - rows.start, columns.stop - columns.start)) + 2
    sides = zip((rows, columns), size, strict=True)
    return tuple(slice(max(0, side.start - margin), min(end, side.stop + margin)) for side, end in sides)


def _grow(cv2: Any, image: NDArray[np.uint8], carried: Mask, figure: Mask) -> Mask:
    """What of a part of a photo looks like what is ``carried`` there, hangs with it, and ends within it."""
    size = tuple(max(3, round(side * min(1.0, _LARGEST / max(carried.shape)))) for side in carried.shape)
    small = resize(image, size, Image.Resampling.BILINEAR)
    known, other = (resize_mask(mask, size) for mask in (carried, figure))
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
    grown = find_connected((hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD) | known, known)
    return resize_mask(grown, carried.shape)


def find_connected(region: Mask, seed: Mask) -> Mask:
    """The parts of ``region`` (H, W) that ``seed`` (H, W), which lies in it, has a pixel of."""
    parts, _ = ndimage.label(region)
    own = np.unique(parts[seed])
    return np.asarray(np.isin(parts, own[own > 0]))
