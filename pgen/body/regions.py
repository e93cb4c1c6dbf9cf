"""Exchanging regions of a parsing map: one person's garments in the shape that they have in another map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.edits.lower import find_lower_garment
from pgen.body.labels import SKIN_LABELS, Label

_LOWER = (Label.PANTS, Label.SKIRT)
_ARMS = (Label.L_ARM, Label.R_ARM)
_LEGS = (Label.L_LEG, Label.R_LEG)

#: What a garment may newly cover. Hair lies over tops, tops over what is below them, and hands over everything low.
_COVERS: dict[Label, tuple[Label, ...]] = {
    Label.UPPER: (Label.BACKGROUND, Label.FACE, *_ARMS, *_LOWER, *_LEGS),
    Label.PANTS: (Label.BACKGROUND, *_LEGS, Label.SKIRT),
    Label.SKIRT: (Label.BACKGROUND, *_LEGS, Label.PANTS),
    Label.HAIR: (Label.BACKGROUND, Label.FACE, *_ARMS, Label.UPPER),
}

#: What there may be behind a garment that ends earlier.
_BEHIND = (Label.BACKGROUND, *SKIN_LABELS)


def reshape_regions(parsing: NDArray[np.uint8], other: NDArray[np.uint8], labels: Sequence[Label]) -> NDArray[np.uint8]:
    """The map ``parsing`` (H, W) with the regions ``labels`` shaped as in ``other``, a map of the same pose and frame.

    A region grows over what its garment may lie on. Where it shrinks, ``other`` shows what is behind: background or
    skin, or, below a top, whatever ``parsing`` has there of pants and skirt. Differences as thin as two pixels come
    from the bodies, not from the garments, and are left out.
    """
    result = parsing.copy()
    lower = find_lower_garment(parsing)
    for label in labels:
        here, there = parsing == label, other == label
        gained = _drop_thin_parts(there & np.isin(parsing, _COVERS[label]))
        behind, allowed = other, _BEHIND
        if label == Label.UPPER and lower is not None:
            behind, allowed = np.where(np.isin(other, _LOWER), lower, other), (*_BEHIND, lower)
        lost = _drop_thin_parts(here & ~there & np.isin(behind, allowed))
        result[lost] = behind[lost]
        result[gained] = label
    return result


def _drop_thin_parts(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of ``mask`` that are more than two pixels thick."""
    core = ndimage.binary_erosion(mask, np.ones((3, 3), bool), border_value=1)
    return np.asarray(ndimage.binary_dilation(core, np.ones((3, 3), bool), 2, mask=mask))
