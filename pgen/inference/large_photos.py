"""Edits of large photos: made in a smaller copy, and put into the photo where they change something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.crop import CropBox, scale_pose
from pgen.body.enlarging import enlarge_labels
from pgen.body.labels import LABEL_COUNT
from pgen.inference.person import Person
from pgen.inference.rendering.resizing import resize, resize_mask

#: Longer side of a copy, pixels: what is painted anew is no sharper than the networks' frame, a fifth of it.
LARGEST = 1280
#: What is put into a photo fades into it over so many pixels of the copy.
_FADE = 1.5


def reduce_person(person: Person) -> Person:
    """``person`` in a copy of the part of the photo that is worked on, if its longer side is above `LARGEST`."""
    scale = LARGEST / max(person.crop.size)
    if scale >= 1:
        return person
    size = max(1, round(person.crop.size[0] * scale)), max(1, round(person.crop.size[1] * scale))
    carried, silhouette = (
        None if mask is None else resize_mask(mask, size, Image.Resampling.NEAREST)
        for mask in (person.carried, person.silhouette)
    )
    return replace(
        person,
        photo=resize(person.image, size, Image.Resampling.LANCZOS),
        crop=CropBox.whole(size),
        pose=scale_pose(person.pose, person.crop.size, size),
        parsing=resize(person.parsing, size, Image.Resampling.NEAREST),
        carried=carried,
        silhouette=silhouette,
        rgba=None,
    )


def put_into_photo(
    person: Person, small: Person, image: NDArray[np.uint8], parsing: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """A picture and a map that ``small``, a copy of ``person`` or as large as they are, has become, in the photo.

    Args:
        image, parsing: uint8 (h, w, 3) and (h, w).

    Returns:
        The picture (H, W, 3) and the map (H, W), which are the photo's own away from what has changed, and where the
        map has changed (H, W).
    """
    changed = parsing != small.parsing
    if small.crop.size == person.crop.size:
        return image, parsing, changed
    size = person.crop.size
    scores = (parsing == np.arange(LABEL_COUNT)[:, None, None]).astype(np.float32)
    is_changed = resize_mask(changed, size)
    labels = np.where(is_changed, enlarge_labels(scores, size), person.parsing)
    painted = (image != small.image).any(axis=2)
    share = ndimage.uniform_filter(ndimage.maximum_filter(painted, 3).astype(np.float32), round(2 * _FADE))
    share = resize(np.rint(share * 255).astype(np.uint8), size, Image.Resampling.BILINEAR)
    result = person.image.copy()
    for rows in np.array_split(np.arange(size[0]), max(1, size[0] // 512)):  # to save memory
        at, part = share[rows, :, None] / np.float32(255), slice(rows[0], rows[-1] + 1)
        low, high = rows[0] * image.shape[0] / size[0], (rows[-1] + 1) * image.shape[0] / size[0]
        box = (0, low, image.shape[1], high)
        large = Image.fromarray(image).resize((size[1], len(rows)), Image.Resampling.BICUBIC, box)
        result[part] = np.rint(at * np.asarray(large) + (1 - at) * result[part])
    return result, labels, is_changed
