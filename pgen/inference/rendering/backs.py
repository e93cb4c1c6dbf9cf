"""A photo of somebody from the front as it would be from behind: without what only a front shows.

There is hair in place of the face, and in place of an open jacket's inside, of a tie or of a print there is the cloth
that is beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.boxes import find_box
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.inference.rendering.background import Mask, Picture, fill_from
from pgen.inference.rendering.bones import NAPE
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.covered import find_between, leave_out_islands
from pgen.inference.rendering.fronts import find_front
from pgen.inference.rendering.hair import HEAD_WIDTH, draw_head, draw_strands, find_flow
from pgen.inference.rendering.hairstyle import choose_hair, choose_skin, find_nape, measure_height

#: So high above the line between the shoulders, in torso lengths, cloth reaches on a back, and higher between the sides
#: of a collar.
_COLLAR = 0.1
#: Whose hair is smaller than this share of the face is bald, or wears a hat.
_BALD = 0.12
#: How much lower short hair ends in the middle than at the sides, and how raggedly, in torso lengths.
_MIDDLE, _RAGGED = 0.06, 0.012
#: How far beside what it leaves open a top has its colors, in torso lengths.
_RIM = 0.04
#: How far beside a face hair is in its shadow, in torso lengths; how dark that of hair is on a neck, and how far from
#: hair it has a third of that.
_SHADED, _SHADOW, _SHADOWED = 0.06, 0.4, 0.06


def turn_around(canvas: Canvas, with_head: bool = True) -> Canvas:
    """``canvas``, which shows a front, with what is seen from behind in its place: as in a mirror behind the person.

    Outlines are the same; labels and pixels are those of the back where it differs. Without the head, that stays.
    """
    labels = canvas.labels.copy()
    hair = np.zeros(canvas.size, bool)
    if with_head:
        hair = _find_hair(canvas, (labels == Label.FACE) & (measure_height(canvas) > NAPE))
    labels[hair] = Label.HAIR
    cloth = _find_covered(canvas, labels)
    labels[cloth] = Label.UPPER
    front, back = find_front(canvas)
    rim = ndimage.binary_dilation(cloth, iterations=max(1, round(_RIM * canvas.unit)))
    front |= cloth | (rim & (labels == Label.UPPER))
    known = canvas.find_core(Label.UPPER) & ~front
    known = known & back if (known & back).any() else known
    image = fill_from(canvas.image, front, known) if front.any() and known.any() else canvas.image
    if with_head:
        image = _draw_head(canvas, image, labels, hair)
    return replace(canvas, image=image, labels=labels)


def _draw_head(canvas: Canvas, image: Picture, labels: NDArray[np.uint8], hair: Mask) -> Picture:
    """``image`` (H, W, 3) with skin in place of what ``labels`` still have of a face, and with ``hair`` (H, W)."""
    skin = labels == Label.FACE
    neck = choose_skin(canvas, skin)
    for whole, hole, colored, shown, has_strands in (
        (skin, skin, neck, neck, False),
        (labels == Label.HAIR, hair, choose_hair(canvas), choose_hair(canvas, hair), True),
    ):
        if hole.any() and shown.any():
            colors = canvas.image[colored]
            image = draw_head(image, whole, hole, shown, HEAD_WIDTH * canvas.unit, has_strands, colors)
    if hair.any() and skin.any():
        image, away = image.copy(), ndimage.distance_transform_edt(labels != Label.HAIR)[skin] / canvas.unit
        image[skin] = np.rint(image[skin] * (1 - _SHADOW * np.exp(-away / _SHADOWED))[:, None])
    return image


def _find_hair(canvas: Canvas, head: Mask) -> Mask:
    """Where (H, W) from behind there is hair in place of the face of a ``head`` (H, W); nowhere on a bald one."""
    hair = canvas.labels == Label.HAIR
    if not hair.any() or hair.sum() < _BALD * head.sum():
        return np.zeros_like(head)
    nape = find_nape(canvas)
    if nape is not None:
        box = find_box(head | hair, 0)
        across, along = find_flow((head | hair)[box])
        ends = _MIDDLE * (1 - across**2) + _RAGGED * draw_strands(across, along, HEAD_WIDTH * canvas.unit)
        head, below = np.zeros_like(head), head[box]
        head[box] = below & (measure_height(canvas)[box[0]] > nape - ends)
    found = head | ((canvas.labels == Label.FACE) & find_between(hair, axes=(1,)))
    # Hair lies in shadow beside a face, and would draw its outline.
    return np.asarray(found | (hair & ndimage.binary_dilation(found, iterations=max(1, round(_SHADED * canvas.unit)))))


def _find_covered(canvas: Canvas, labels: NDArray[np.uint8]) -> Mask:
    """Where (H, W) a top covers from behind what it leaves open in front: the neckline, and what an open coat shows."""
    top = labels == Label.UPPER
    rows, columns = canvas.pose[[Joint.R_SHOULDER, Joint.L_SHOULDER]].round().astype(int).T[::-1]
    shoulders = labels[rows.clip(0, canvas.size[0] - 1), columns.clip(0, canvas.size[1] - 1)]
    covered, between = np.zeros_like(top), find_between(leave_out_islands(top & ~canvas.sleeves), axes=(1,))
    if np.isin(shoulders, (Label.UPPER, Label.HAIR)).all():
        height = measure_height(canvas)
        is_collared = (height < NAPE) & between
        covered = (labels == Label.FACE) & ((height < _COLLAR) | is_collared)
    lower = np.isin(labels, (Label.PANTS, Label.SKIRT, Label.L_LEG, Label.R_LEG))
    return np.asarray(covered | (lower & between))
