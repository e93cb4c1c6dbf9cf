"""What of a top only a front shows: what an open coat leaves free, a tie, a row of buttons, a print."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import KDTree

from pgen.body.crop import scale_pose
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.body.limb_fields import torso_length
from pgen.inference.rendering.background import Mask
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.colors import to_lab
from pgen.inference.rendering.covered import find_between
from pgen.inference.rendering.resizing import resize, resize_mask

#: Colors are compared in a copy whose torso is so many pixels long, a little softened.
_TORSO, _SOFT = 64, 0.7
#: How wide the way from a trunk's middle to its sides is at least, in torso lengths; so far out, as a share of it,
#: a trunk reaches, and so far a middle that is not its sides.
_NARROW, _TRUNK, _MIDDLE = 0.2, 1.35, 0.8
#: A trunk's sides, which a back shows as well, are looked at down to so far along it, as below a jacket may end.
_DOWN = 0.65
#: Where a coat is seen in any case: so far out on the shoulders, from the first to the second share of the way to the
#: hips; and on sleeves, down to so far along it, if so much of either is like the other.
_SHOULDERS, _SHOULDER_ROWS, _UPPER_ARMS, _ALIKE = 0.6, (-0.15, 0.35), 0.55, (0.6, 0.3)
#: Where the inside of a coat is looked for first: nearer to the middle than this, in these rows.
_INSIDE, _INSIDE_ROWS = 0.3, (0.05, 0.9)
#: What looks so much more like the inside than like the coat is of the inside, if it is so far at least from the coat
#: (CIE Lab, lightness by half); distances from next to nothing count as so much.
_LIKELY, _LEAST, _ROUNDED = 0.6, 2.5, 0.3
#: Nothing is told if a coat's own colors are farther from each other than this, or nearly as far as the inside is from
#: them: than this share of it; nor if the inside makes up more than the last share of a trunk's sides.
_MOTLEY, _FARTHER, _OUTSIDE = 8.0, 0.85, 0.5
#: Of colors, so many are looked at; what has none of the nearest so many of those that a back shows as well within
#: this distance is of the front; of varied cloth, this many times as far as nine tenths of its own are.
_SAMPLES, _NEAREST, _NEAR, _UNLIKE, _VARIED = 500, 0.04, 0.1, 9.0, 1.2
#: A top is plain if more than this share of what a back shows as well is near to one color; what is farther than this
#: from it is of the front, also at a trunk's sides, if less than the last share of its middle is.
_PLAIN, _OTHER, _MOSTLY = 0.6, 20.0, 0.45
#: What is smaller, as a share of the square of a torso length, is a fold; what is of the front reaches so much farther
#: than it is seen to, in torso lengths; and if more than this share of a middle is unlike its sides, nothing is told.
_FOLD, _BORDER, _MOST = 0.004, 0.03, 0.85

_TRUNK_SIDES = ((Joint.R_SHOULDER, Joint.R_HIP), (Joint.L_SHOULDER, Joint.L_HIP))


class _Copy(NamedTuple):
    """A small copy of a canvas, all (h, w)."""

    colors: NDArray[np.float64]  #: (h, w, 3), CIE Lab, lightness by half
    top: Mask
    sleeves: Mask
    across: NDArray[np.float64]  #: how far from a trunk's middle to its sides
    along: NDArray[np.float64]  #: (h, 1), how far from its shoulders to its hips
    unit: float  #: torso length, pixels


def find_front(canvas: Canvas) -> tuple[Mask, Mask]:
    """What (H, W) of a top only a front shows, and what a back shows as well."""
    top = canvas.labels == Label.UPPER
    copy = _shrink(canvas)
    is_trunk = copy.top & ((~copy.sleeves & (copy.across < _TRUNK)) | (copy.across < 1))
    inside = _find_inside(copy, is_trunk)
    front = find_between(ndimage.binary_opening(inside)) & is_trunk
    front = find_between(front | _find_unlike_sides(copy, is_trunk, inside), axes=(1,)) & is_trunk
    parts, count = ndimage.label(front)
    sizes = ndimage.sum(front, parts, np.arange(count + 1))
    front &= sizes[parts] > _FOLD * copy.unit**2
    front = ndimage.binary_dilation(front, iterations=max(1, round(_BORDER * copy.unit)))
    front, back = (resize_mask(mask, canvas.size) & top for mask in (front, copy.top & ~inside & ~front))
    return front, back


def _shrink(canvas: Canvas) -> _Copy:
    scale = min(1.0, _TORSO / canvas.unit)
    size = (max(1, round(canvas.size[0] * scale)), max(1, round(canvas.size[1] * scale)))
    colors = to_lab(resize(canvas.image, size, Image.Resampling.BOX))
    top, sleeves = (resize_mask(mask, size) for mask in (canvas.labels == Label.UPPER, canvas.sleeves))
    across, along = _measure_across(scale_pose(canvas.pose, canvas.size, size), size)
    colors = ndimage.gaussian_filter(colors, (_SOFT, _SOFT, 0))
    return _Copy(colors, top, sleeves & top, across, along, scale * canvas.unit)


def _find_inside(copy: _Copy, is_trunk: Mask) -> Mask:
    """Where (h, w) a trunk looks more like its middle than like its coat, as shoulders and sleeves show it."""
    nothing = np.zeros_like(is_trunk)
    coat = _find_coat(copy)
    first, last = _INSIDE_ROWS
    inside = is_trunk & ~coat & (copy.across < _INSIDE) & (copy.along > first) & (copy.along < last)
    if not coat.any() or not inside.any():
        return nothing
    away = _measure_away(copy.colors, is_trunk, coat)
    usual, far = np.percentile(_measure_away(copy.colors, coat, coat)[coat], (50, 75))
    if usual > _MOTLEY:
        return nothing
    weight = np.maximum(ndimage.gaussian_filter(is_trunk.astype(float), 1), 1e-6)
    for _ in range(2):
        other = _measure_away(copy.colors, is_trunk, inside)
        share = np.where(is_trunk, (away + _ROUNDED) / (away + other + 2 * _ROUNDED), 0)
        inside = is_trunk & (ndimage.gaussian_filter(share, 1) / weight > _LIKELY) & (away > _LEAST)
        if not inside.any():
            return nothing
    if np.median(away[inside]) < _FARTHER * far:
        return nothing
    sides = is_trunk & ~copy.sleeves & (copy.across > _MIDDLE) & (copy.along > _SHOULDER_ROWS[1]) & (copy.along < last)
    return nothing if sides.any() and inside[sides].mean() > _OUTSIDE else inside


def _find_coat(copy: _Copy) -> Mask:
    """Where (h, w) shoulders and sleeves show what is worn above all."""
    core = ndimage.binary_erosion(copy.top)
    first, last = _SHOULDER_ROWS
    is_out = (copy.across > _SHOULDERS) & (copy.across < _TRUNK)
    shoulders = core & is_out & (copy.along > first) & (copy.along < last)
    sleeves = core & copy.sleeves & (copy.along < _UPPER_ARMS)
    if not shoulders.any() or not sleeves.any():
        return np.asarray(shoulders)
    like_sleeves = shoulders & (_measure_away(copy.colors, shoulders, sleeves) < _UNLIKE)
    like_shoulders = sleeves & (_measure_away(copy.colors, sleeves, shoulders) < _UNLIKE)
    is_one = like_shoulders.sum() > _ALIKE[0] * sleeves.sum() and like_sleeves.sum() > _ALIKE[1] * shoulders.sum()
    return np.asarray(sleeves | like_sleeves if is_one else shoulders)


def _find_unlike_sides(copy: _Copy, is_trunk: Mask, inside: Mask) -> Mask:
    """Where (h, w) the middle of a trunk looks unlike its sides and sleeves, without what is ``inside``."""
    is_side = copy.top & (copy.across > _MIDDLE) & (copy.across < _TRUNK) & (copy.along < _DOWN) & ~inside
    middle = copy.top & ((copy.across <= _MIDDLE) | (is_trunk & ~is_side))
    if not is_side.any() or not middle.any():
        return np.zeros_like(middle)
    away, own = (_measure_away(copy.colors, mask, is_side, _NEAREST) for mask in (middle, is_side))
    unlike = away > max(_UNLIKE, _VARIED * np.percentile(own[is_side], 90))
    color = _find_plain_color(copy.colors[is_side])
    if color is not None:
        is_other = np.linalg.norm(copy.colors - color, axis=2) > _OTHER
        if is_other[middle].mean() < _MOSTLY:
            unlike |= (middle | is_trunk) & is_other
    unlike = ndimage.binary_opening(unlike)
    return np.zeros_like(unlike) if unlike.sum() > _MOST * middle.sum() else unlike


def _measure_away(colors: NDArray[np.float64], where: Mask, known: Mask, nearest: float = _NEAR) -> NDArray[np.float64]:
    """How far (h, w) the ``colors`` ``where`` are from the ``nearest`` share of the ``known`` ones; 0 elsewhere."""
    samples = _thin_out(colors[known])
    away = np.zeros(where.shape)
    away[where] = KDTree(samples).query(colors[where], k=[max(1, round(nearest * len(samples)))])[0][:, 0]
    return away


def _find_plain_color(colors: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The one of ``colors`` (N, 3) that most others are near to; None if these are not many."""
    samples = _thin_out(colors)
    near = KDTree(samples).query_ball_point(samples, _UNLIKE, return_length=True)
    return samples[near.argmax()] if near.max() > _PLAIN * len(samples) else None


def _thin_out(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most `_SAMPLES` of ``colors`` (N, 3), evenly spread."""
    return colors[np.linspace(0, len(colors) - 1, min(_SAMPLES, len(colors))).astype(int)]


def _measure_across(
    pose: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far pixels (h, w) are from a trunk's middle to its sides, and rows (h, 1) from its shoulders to its hips."""
    rows, columns = np.indices(size, sparse=True)
    right, left = (pose[[shoulder, hip]].astype(float) for shoulder, hip in _TRUNK_SIDES)
    top, bottom = (right[:, 1] + left[:, 1]) / 2
    along = (rows - top) / max(bottom - top, 1.0)
    share = along.clip(0, 1)
    ends = [side[0, 0] + share * (side[1, 0] - side[0, 0]) for side in (right, left)]
    half = np.maximum(np.abs(ends[1] - ends[0]) / 2, _NARROW * torso_length(pose))
    return np.abs(columns - (ends[0] + ends[1]) / 2) / half, along
