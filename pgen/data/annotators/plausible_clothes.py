"""What a parser says of clothes, corrected by what people wear: its looks at pixels know little of whole garments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.labels import LABEL_COUNT, Label

#: Below so much of the figure's area a part of a label that has larger ones is a speck.
_SPECK = 0.004
#: Share of a skirt's width along which it meets trousers if it is a part of them; in how much of the frame around the
#: seam cloth is compared, and left out next to it; and how much colors may differ there, 0-255, where trousers are
#: above, which are under no skirt, and where they are below: of 862 street photos 26 show a dress over trousers, seven
#: of these in nearly the same color.
_MET, _NEAR, _SEAM = 0.4, 0.03, 0.006
_ABOVE, _BELOW = 30.0, 15.0
#: From which share of its outline on hair that is not on the head lies on a top, and is one, if its color is so much
#: unlike that of hair, 0-255: a black collar is often called hair.
_ON_TOP, _UNLIKE_HAIR = 0.6, 35.0
_FEW = 12  # pixels of cloth that are too few to tell its color
_GROWN = 2  # pixels by which what changes is grown, so that outlines stay where they are


def correct_clothes(scores: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scores (10, H, W) of labels, without specks, skirts that are parts of trousers, and collars that are called hair.

    Args:
        scores: the highest at a pixel is its label, such as logits.
        image: (H, W, 3), what they are of.
    """
    return _turn_hair_into_tops(_turn_skirts_into_trousers(_remove_specks(scores), image), image)


def _remove_specks(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Small parts of labels take what is around them; the largest part of a label stays, however small."""
    labels = scores.argmax(0)
    least = _SPECK * np.count_nonzero(labels)
    specks = np.zeros(labels.shape, bool)
    for label in range(LABEL_COUNT):
        parts, count = ndimage.label(labels == label)
        if count > 1:
            areas = np.bincount(parts.ravel())
            areas[[0, 1 + int(areas[1:].argmax())]] = scores.size
            specks |= areas[parts] < least
    if not specks.any():
        return scores
    rows, columns = ndimage.distance_transform_edt(specks, return_distances=False, return_indices=True)
    return np.ascontiguousarray(scores[:, rows, columns])


def _turn_skirts_into_trousers(scores: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Wide trousers look like skirts in parts: those that meet trousers of the same cloth above or below."""
    labels = scores.argmax(0)
    trousers = labels == Label.PANTS
    skirts, count = ndimage.label(labels == Label.SKIRT)
    if not (count and trousers.any()):
        return scores
    side, changed = max(labels.shape), np.zeros(labels.shape, bool)
    for number in range(1, count + 1):
        skirt = skirts == number
        below_trousers, above_trousers = np.zeros_like(skirt), np.zeros_like(skirt)
        below_trousers[1:] = skirt[1:] & trousers[:-1]
        above_trousers[:-1] = skirt[:-1] & trousers[1:]
        is_below = np.count_nonzero(below_trousers) > np.count_nonzero(above_trousers)
        seam, most = (below_trousers, _ABOVE) if is_below else (above_trousers, _BELOW)
        if np.count_nonzero(seam) <= _MET * np.count_nonzero(skirt.any(0)):
            continue
        away = ndimage.distance_transform_edt(~seam)
        near = (away < _NEAR * side) & (away > _SEAM * side)
        cloths = image[near & skirt], image[near & trousers]
        if min(map(len, cloths)) < _FEW or np.abs(np.subtract(*(np.median(one, 0) for one in cloths))).mean() < most:
            changed |= ndimage.binary_dilation(skirt, iterations=_GROWN)
    return _turn(scores, Label.SKIRT, Label.PANTS, changed)


def _turn_hair_into_tops(scores: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Hair away from the head that lies on a top and has another color is a part of it."""
    labels = scores.argmax(0)
    parts, count = ndimage.label(labels == Label.HAIR)
    if count < 2:
        return scores
    head = 1 + int(np.bincount(parts.ravel())[1:].argmax())
    color, changed = np.median(image[parts == head], 0), np.zeros(labels.shape, bool)
    for number in range(1, count + 1):
        part = parts == number
        grown = ndimage.binary_dilation(part, iterations=_GROWN)
        around = labels[grown & ~part]
        unlike = np.abs(np.median(image[part], 0) - color).mean()
        if number != head and (around == Label.UPPER).mean() > _ON_TOP and unlike > _UNLIKE_HAIR:
            changed |= grown
    return _turn(scores, Label.HAIR, Label.UPPER, changed)


def _turn(scores: NDArray[np.float32], old: Label, new: Label, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """``scores`` with the label ``new`` instead of ``old`` ``where`` (H, W)."""
    if not where.any():
        return scores
    scores = scores.copy()
    scores[new] = np.where(where, scores[[new, old]].max(0), scores[new])
    scores[old] = np.where(where, scores.min(0), scores[old])
    return scores
