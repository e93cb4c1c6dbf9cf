"""A photo of somebody from the front as it would be from behind: without what only a front shows.

There is hair in place of the face, and in place of an open jacket's inside, of a tie or of a print there is the cloth
that is beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import KDTree

from pgen.body.boxes import find_box
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.inference.rendering.background import Mask, Picture, fill_from
from pgen.inference.rendering.bones import NAPE
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.colors import to_lab
from pgen.inference.rendering.covered import find_between
from pgen.inference.rendering.hair import HEAD_WIDTH, draw_head, draw_strands, find_flow
from pgen.inference.rendering.hairstyle import choose_hair, choose_skin, find_nape, measure_height
from pgen.inference.rendering.resizing import resize, resize_mask

#: So high above the line between the shoulders, in torso lengths, cloth reaches on a back, and higher between the sides
#: of a collar.
_COLLAR = 0.1
#: Whose hair is smaller than this share of the face is bald, or wears a hat.
_BALD = 0.12
#: How much lower short hair ends in the middle than at the sides, and how raggedly, in torso lengths.
_MIDDLE, _RAGGED = 0.06, 0.012
#: How far beside a face hair is in its shadow, in torso lengths.
_SHADED = 0.06
#: A trunk's sides, which a back shows as well: so far from its middle, as shares of the way to shoulder and hip, and
#: down to so far along it, as below a jacket may end; and how wide that way is at least, in torso lengths.
_SIDES, _DOWN, _NARROW = (0.8, 1.35), 0.65, 0.2
#: Colors are compared in a copy whose torso is so many pixels long; of those that a back shows as well, so many are
#: looked at; what has none of the nearest so many within this distance (CIE Lab, lightness by half) is of the front.
_TORSO, _SAMPLES, _NEAREST, _UNLIKE = 64, 2000, 0.04, 9.0
#: A top is plain if more than this share of what a back shows as well is near to one color; what is farther than this
#: from it is of the front, also at a trunk's sides, if less than the last share of its middle is.
_PLAIN, _OTHER, _MOSTLY = 0.6, 20.0, 0.45
#: What is smaller, as a share of the square of a torso length, is a fold; what is of the front reaches so much farther
#: than it is seen to, in torso lengths; and if it is more than this share of a trunk, nothing is known of the back.
_FOLD, _BORDER, _MOST = 0.004, 0.03, 0.85
#: A coat is wide open if from the first to the second share of a trunk's sides are unlike its sleeves, which are as
#: large as so much of the trunk at least.
_OPEN, _SLEEVED = (0.2, 0.45), 0.5

_TRUNK_SIDES = ((Joint.R_SHOULDER, Joint.R_HIP), (Joint.L_SHOULDER, Joint.L_HIP))


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
    front = cloth | _find_front(canvas)
    known = canvas.find_core(Label.UPPER) & ~front
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
    covered, between = np.zeros_like(top), find_between(top & ~canvas.sleeves, axes=(1,))
    if np.isin(shoulders, (Label.UPPER, Label.HAIR)).all():
        height = measure_height(canvas)
        is_collared = (height < NAPE) & between
        covered = (labels == Label.FACE) & ((height < _COLLAR) | is_collared)
    lower = np.isin(labels, (Label.PANTS, Label.SKIRT, Label.L_LEG, Label.R_LEG))
    return np.asarray(covered | (lower & between))


def _find_front(canvas: Canvas) -> Mask:
    """What (H, W) of a top looks unlike its sides and sleeves, which a back shows as well."""
    top = canvas.labels == Label.UPPER
    across, along = _measure_across(canvas)
    near, far = _SIDES
    scale = min(1.0, _TORSO / canvas.unit)
    size = (max(1, round(canvas.size[0] * scale)), max(1, round(canvas.size[1] * scale)))
    is_side = (across > near) & (along < _DOWN)
    asked = (across <= near) | (~is_side & ~canvas.sleeves & (across < far))
    is_trunk = (~canvas.sleeves & (across < far)) | (across < 1)
    middle, both, sleeves, trunk = (
        resize_mask(top & where, size) for where in (asked, is_side & (across < far), canvas.sleeves, is_trunk)
    )
    if not both.any() or not middle.any():
        return np.zeros_like(top)
    colors = to_lab(resize(canvas.image, size, Image.Resampling.BOX))
    # A coat may be so wide open that its sides show what is under it, too: then sleeves show the coat.
    sides = both & ~sleeves
    is_sleeved = sides.any() and sleeves.sum() > _SLEEVED * trunk.sum()
    if is_sleeved and _OPEN[0] < _find_unlike(colors, sides, sleeves)[sides].mean() < _OPEN[1]:
        middle, both = trunk, sleeves
    unlike = _find_unlike(colors, middle, both)
    color = _find_plain_color(colors[both])
    if color is not None:
        is_other = np.linalg.norm(colors - color, axis=2) > _OTHER
        if is_other[middle].mean() < _MOSTLY:
            middle = middle | trunk
            unlike |= middle & is_other
    unlike = find_between(ndimage.binary_opening(unlike)) & middle
    parts, count = ndimage.label(unlike)
    sizes = ndimage.sum(unlike, parts, np.arange(count + 1))
    unlike &= sizes[parts] > _FOLD * (scale * canvas.unit) ** 2
    if unlike.sum() > _MOST * middle.sum():
        return np.zeros_like(top)
    unlike = ndimage.binary_dilation(unlike, iterations=max(1, round(_BORDER * scale * canvas.unit)))
    return resize_mask(unlike, canvas.size) & top


def _find_unlike(colors: NDArray[np.float64], where: Mask, known: Mask) -> Mask:
    """Which pixels ``where`` (H, W) have ``colors`` (H, W, 3) that few of the ``known`` ones (H, W) are near to."""
    samples = _thin_out(colors[known])
    away = KDTree(samples).query(colors[where], k=[max(1, round(_NEAREST * len(samples)))])[0][:, 0]
    unlike = np.zeros_like(where)
    unlike[where] = away > _UNLIKE
    return unlike


def _find_plain_color(colors: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The one of ``colors`` (N, 3) that most others are near to; None if these are not many."""
    samples = _thin_out(colors)
    near = KDTree(samples).query_ball_point(samples, _UNLIKE, return_length=True)
    return samples[near.argmax()] if near.max() > _PLAIN * len(samples) else None


def _thin_out(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most `_SAMPLES` of ``colors`` (N, 3), evenly spread."""
    return colors[np.linspace(0, len(colors) - 1, min(_SAMPLES, len(colors))).astype(int)]


def _measure_across(canvas: Canvas) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far pixels (H, W) are from a trunk's middle to its sides, and rows (H, 1) from its shoulders to its hips."""
    rows, columns = np.indices(canvas.size, sparse=True)
    right, left = (canvas.pose[[shoulder, hip]].astype(float) for shoulder, hip in _TRUNK_SIDES)
    top, bottom = (right[:, 1] + left[:, 1]) / 2
    along = (rows - top) / max(bottom - top, 1.0)
    share = along.clip(0, 1)
    ends = [side[0, 0] + share * (side[1, 0] - side[0, 0]) for side in (right, left)]
    half = np.maximum(np.abs(ends[1] - ends[0]) / 2, _NARROW * canvas.unit)
    return np.abs(columns - (ends[0] + ends[1]) / 2) / half, along
