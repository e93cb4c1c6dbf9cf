"""What a photo tells of a hairstyle: its texture and colors, how long it is, and where a neck begins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.inference.rendering.background import Mask
from pgen.inference.rendering.bones import NAPE
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.colors import to_lab

#: Where a mouth is below a nose, in lengths from eyes to nose; hair of which more than this share is lower is long.
_MOUTH, _LONG = 0.7, 0.08
#: From this share of all hair on, what is seen of it beside a face tells its colors, where it is no thinner than twice
#: so many torso lengths.
_ENOUGH, _THIN = 0.15, 0.025
#: Red and yellow, as `to_lab` has them, from the least to the most that grows on heads; and from which share of all
#: that counts as hair on, the rest of it is something else: a hat, a scarf, or what hangs from ears.
_RED, _YELLOW, _NATURAL = (-5.0, 45.0), (-12.0, 40.0), 0.2
#: Of a row of hair so much is left out at both ends, as other things shine through it there; rows narrower than this
#: share of the wide ones are locks that stand out.
_ENDS, _LOCK = 0.06, 0.3
#: How far the middle of hair's colors, as `to_lab` has them, moves if what looks like skin is left out of much skin.
_MIXED = 6.0
#: How far above the eyes a face's features end, in torso lengths.
_BROW = 0.06


def measure_height(canvas: Canvas) -> NDArray[np.float64]:
    """How far each row (H, 1) is above the line between the shoulders, torso lengths."""
    return np.asarray(_find_height(canvas, np.arange(canvas.size[0])[:, None]))


def _find_height(canvas: Canvas, row: Any) -> Any:
    """How far ``row`` is above the line between the shoulders, torso lengths."""
    shoulders = canvas.pose[[Joint.R_SHOULDER, Joint.L_SHOULDER], 1].mean()
    return (shoulders - row) / canvas.unit


def _measure_brow(canvas: Canvas) -> float:
    """The same of a forehead's lower end; 0 if there are no eyes."""
    eyes = canvas.pose[[Joint.R_EYE, Joint.L_EYE], 1]
    if np.isnan(eyes).all():
        return 0.0
    return float(_find_height(canvas, np.nanmean(eyes)) + _BROW)


def _measure_nape(canvas: Canvas) -> float:
    """The same of where short hair ends above a neck: at the height of the mouth; `NAPE` without nose or eyes."""
    nose, eyes = canvas.pose[Joint.NOSE, 1], canvas.pose[[Joint.R_EYE, Joint.L_EYE], 1]
    if np.isnan(nose) or np.isnan(eyes).all():
        return NAPE
    return float(_find_height(canvas, nose + _MOUTH * max(nose - float(np.nanmean(eyes)), 0)))


def find_nape(canvas: Canvas) -> float | None:
    """How far above the line between the shoulders short hair ends, where a neck begins, torso lengths.

    None if hair is long.
    """
    hair, nape = canvas.labels == Label.HAIR, _measure_nape(canvas)
    return nape if (hair & (measure_height(canvas) < nape)).sum() <= _LONG * hair.sum() else None


def choose_skin(canvas: Canvas, skin: Mask) -> Mask:
    """Where (H, W) the photo shows a neck, of the ``skin`` that a back shows; all of a face if it shows none."""
    face = canvas.find_core(Label.FACE)
    face = face & skin if (face & skin).any() else face
    neck = face & (measure_height(canvas) < _measure_nape(canvas))
    return neck if neck.sum() > _ENOUGH * face.sum() else face


def choose_hair(canvas: Canvas, hole: Mask | None = None) -> Mask:
    """Where (H, W) the photo shows what hair looks like, outside of ``hole`` if it does.

    That is below the brow if there is enough of it, as a hat is none.
    """
    hair = _find_shown_hair(canvas)
    shown = hair if hole is None else hair & ~hole
    if not shown.any():
        shown = canvas.labels == Label.HAIR
    low = shown & (measure_height(canvas) < _measure_brow(canvas))
    low = ndimage.binary_erosion(low, iterations=max(1, round(_THIN * canvas.unit)))
    return _leave_out_skin(canvas, low if low.sum() > _ENOUGH * shown.sum() else shown)


def _find_shown_hair(canvas: Canvas) -> Mask:
    """Where (H, W) the photo surely shows hair, without what has colors that hair has not, if there is enough else."""
    hair = canvas.find_core(Label.HAIR)
    if not hair.any():
        return hair
    _, red, yellow = to_lab(canvas.image[hair][None])[0].T
    is_natural = (red > _RED[0]) & (red < _RED[1]) & (yellow > _YELLOW[0]) & (yellow < _YELLOW[1])
    if is_natural.mean() > _NATURAL:
        hair[hair] = is_natural
    return hair


def unroll_hair(canvas: Canvas) -> NDArray[np.float32] | None:
    """Hair, (rows, columns, 3), of the half of the head that shows more of it; None if the photo shows next to none.

    Rows go down from the crown, columns from the head's side to its middle, each over all of its row's hair.
    """
    hair = _find_shown_hair(canvas)
    eyes = canvas.pose[[Joint.R_EYE, Joint.L_EYE], 0]
    columns = eyes[np.isfinite(eyes)] if np.isfinite(eyes).any() else np.nonzero(hair)[1]
    if not hair.any():
        return None
    middle = int(np.clip(round(float(columns.mean())), 1, canvas.size[1] - 1))
    right, left = slice(0, middle), slice(None, middle - 1, -1)
    half = max(right, left, key=lambda part: int(hair[:, part].sum()))
    hair, image = hair[:, half], canvas.image[:, half]
    counts = hair.sum(1)
    width = int(np.quantile(counts[counts > 0], 0.9))
    rows = np.flatnonzero(counts >= max(_LOCK * width, 2))
    if len(rows) < 2:
        return None
    shares = np.linspace(_ENDS, 1 - _ENDS, max(width, 2))
    unrolled = np.empty((len(rows), len(shares), 3), np.float32)
    for row, found in zip(rows, unrolled, strict=True):
        shown = image[row, hair[row]].T
        places = shares * (shown.shape[1] - 1)
        found[:] = np.stack([np.interp(places, np.arange(shown.shape[1]), channel) for channel in shown], -1)
    return unrolled


def _leave_out_skin(canvas: Canvas, hair: Mask) -> Mask:
    """``hair`` (H, W) without what looks more like the face, where that is so much that it hides the hair's color."""
    face = canvas.find_core(Label.FACE)
    if not hair.any() or not face.any():
        return hair
    colors, skin = (to_lab(canvas.image[where][None])[0] for where in (hair, face))
    middle = np.median(colors, 0)
    is_hair = np.linalg.norm(colors - middle, axis=1) <= np.linalg.norm(colors - np.median(skin, 0), axis=1)
    if not is_hair.any() or np.linalg.norm(np.median(colors[is_hair], 0) - middle) < _MIXED:
        return hair
    found = np.zeros_like(hair)
    found[hair] = is_hair
    return found
