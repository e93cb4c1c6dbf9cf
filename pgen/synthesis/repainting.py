"""A person's photo painted anew where its parsing map has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from pgen.body.labels import Label
from pgen.models.inputs import Transfer, Views
from pgen.synthesis.seams import bled, faded, matched

if TYPE_CHECKING:
    from pgen.synthesis.person import Person

# Over how many pixels of the networks' frame what is new fades into the photo.
_FADE = 1.0


def repainted(
    person: Person, layout: Tensor, kept: Sequence[Label] = ()
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The person's photo with another map, painted by H_A from the photo itself where the map has changed.

    Args:
        layout: long (1, h, w), the new map in the networks' frame.
        kept: labels whose new pixels are not painted: someone else will.

    Returns:
        The photo's size (H, W): uint8 (H, W, 3), exactly the photo away from changes, and the new map uint8 (H, W).
    """
    before = person.views.labels[0].byte().cpu().numpy()
    after = layout[0].byte().cpu().numpy()
    parsing = np.where(_enlarged(person, before != after), _enlarged_map(person, after), person.parsing)
    changed = parsing != person.parsing
    wanted = changed & ~np.isin(parsing, kept)
    if not wanted.any():
        return person.image, parsing
    return repainted_where(person, painted(person.views, person, layout), after, parsing, wanted), parsing


def repainted_where(
    person: Person, frame: NDArray[np.uint8], after: NDArray[np.uint8], parsing: NDArray[np.uint8], wanted: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The photo with ``frame``, as H_A painted it into the map ``after`` (h, w), where ``wanted`` (H, W)."""
    changed = parsing != person.parsing
    enlarged = person.image.copy()
    # Label by label, so that the enlarged painting does not mix them.
    for label in np.unique(parsing[changed]):
        of_label = person.fit.image_back(bled(frame, after == label))
        enlarged[parsing == label] = of_label[parsing == label]
    away = ndimage.distance_transform_edt(~changed)
    # What touches the change is a mixture with what was there before: colours are compared farther away.
    near = away <= _FADE * enlargement(person) + 1
    return faded(person.image, matched(enlarged, person.image, parsing, near), wanted, _FADE * enlargement(person))


def painted(source: Views, person: Person, layout: Tensor) -> NDArray[np.uint8]:
    """What H_A paints from ``source`` in the pose of ``person`` and the map ``layout`` (1, h, w): uint8 (h, w, 3)."""
    transfer = Transfer(source.poses, person.views.poses, person.fit.frame)
    image = person.generator.images(source, transfer, layout)[0]
    return ((image.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()


def enlargement(person: Person) -> float:
    """How many pixels of the photo a pixel of the networks' frame takes up, at least 1."""
    return max(1.0, person.fit.original[0] / person.fit.content[0])


def _enlarged(person: Person, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask of the frame at the photo's size, with smooth outlines."""
    grey = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    return np.asarray(person.fit.image_back(grey)[..., 0] >= 128)


def _enlarged_map(person: Person, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A map of the frame at the photo's size, with smooth outlines: the label that each pixel has most of."""
    best = np.full(person.fit.original, -1, np.int16)
    result = np.zeros(person.fit.original, np.uint8)
    for label in np.unique(parsing):
        grey = np.repeat((parsing == label)[..., None] * np.uint8(255), 3, axis=2)
        share = person.fit.image_back(grey)[..., 0].astype(np.int16)
        result[share > best] = label
        best = np.maximum(best, share)
    return result
