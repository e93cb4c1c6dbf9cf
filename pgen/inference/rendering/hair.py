"""Hair of heads from behind and from the side, and necks: what the photo shows of hair laid over a head, or strands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.boxes import find_box
from pgen.inference.rendering.background import spread_smoothly
from pgen.inference.rendering.background_detail import Mask, Picture

#: How wide a head is, in torso lengths.
HEAD_WIDTH = 0.42
#: How wide strands are, and how far they go on, in head widths; the finest is at least so many pixels wide.
_WIDTHS, _LENGTH, _FINEST = (0.016, 0.04, 0.1), 0.6, 1.6
#: How much light and strands count; where light falls on a head, as a share of its height, and how far it reaches.
_LIGHT, _STRANDS, _SHINE, _AROUND = 0.35, 0.55, 0.22, 0.16
#: Darkest colors, as a share of all that are shown, that are drawn with, and how many colors.
_DARK, _COLORS = 0.04, 48
#: Over which share of a head's width what is drawn goes over into the photo's, and colors around are evened out.
_FADE, _EVEN = 0.1, 0.12
#: So many times as long as in the photo hair is drawn out before it is repeated, upside down.
_STRETCH = 6.0
_SEED = 7


@dataclass(frozen=True)
class _Finish:
    """How something on a head is drawn."""

    sides: float  #: how much shade counts at both sides: shaded hair looks like a face
    brightest: float  #: the share of colors shown up to which they are drawn with: hair's crown is in the light
    alike: float  #: by how much it takes on the colors that the photo has around it


_HAIR, _SKIN = _Finish(0.15, 0.58, 0.0), _Finish(0.7, 0.85, 0.8)


def lay_hair(image: Picture, hair: Mask, unrolled: NDArray[np.float32], scale: float) -> Picture:
    """``image`` (H, W, 3) with ``unrolled`` on the ``hair`` (H, W) of a head from the side, to whose edges it goes.

    Args:
        unrolled: (rows, columns, 3), rows from the crown down, columns from the head's side to its middle.
        scale: so many of its rows show what one of ``image`` does; fewer, if there are too few for the length of hair.
    """
    box = find_box(hair, 0)
    across, _ = find_flow(hair[box])
    down, last = np.arange(len(across)) * scale, len(unrolled) - 1
    down *= min(1.0, max(last / max(down[-1], 1e-6), 1 / _STRETCH))
    down = last - np.abs(down % (2 * last) - last)  # to and fro
    places = [np.broadcast_to(down[:, None], across.shape), np.abs(across).clip(0, 1) * (unrolled.shape[1] - 1)]
    planes = np.moveaxis(unrolled, 2, 0)
    laid = [ndimage.map_coordinates(plane, places, order=1, mode="nearest") for plane in planes]
    result, inside = image.copy(), hair[box]
    result[box][inside] = np.rint(np.stack(laid, -1)[inside])
    return result


def draw_head(
    image: Picture, head: Mask, hole: Mask, known: Mask, width: float, has_strands: bool, colors: Picture | None = None
) -> Picture:
    """``image`` (H, W, 3) with hair, or skin, in ``hole`` (H, W), a part of ``head``, ``width`` pixels wide.

    All are (H, W). The photo shows it where it is ``known``, which is somewhere; its ``colors`` (N, 3), if they are not
    given, are those there.
    """
    box = find_box(head, 0)
    across, along = find_flow(head[box])
    finish = _HAIR if has_strands else _SKIN
    shade = 1 - finish.sides * across**2 + _LIGHT * np.exp(-(((along - _SHINE) / _AROUND) ** 2) / 2)
    inside, palette = hole[box], _find_palette(image[known] if colors is None else colors, finish.brightest)
    if has_strands:
        shade = shade + _STRANDS * draw_strands(across, along, width)
        at = np.searchsorted(np.sort(shade[inside]), shade) / inside.sum()  # as many of each color as in the photo
    else:
        low, high = np.quantile(shade[inside], (0.01, 0.99))
        at = ((shade - low) / max(high - low, 1e-6)).clip(0, 1)
    at = at * (len(palette) - 1)
    drawn = np.stack([np.interp(at, np.arange(len(palette)), channel) for channel in palette.T], -1)
    # Nearly as dark or bright, on the whole, as what is beside it.
    if finish.alike and known[box].any():
        around = ndimage.gaussian_filter(spread_smoothly(image[box], known[box]), (_EVEN * width, _EVEN * width, 0))
        drawn = (drawn + finish.alike * (around - drawn[inside].mean(0))).clip(0, 255)
    # Where there is nothing beside it, as at the outline of a head, all of it is drawn.
    share, beside = (
        ndimage.gaussian_filter(np.float32(part), _FADE * width / 2) for part in (inside, known[box] & ~inside)
    )
    share = np.where(inside, share / np.maximum(share + beside, 1e-6), 0)[..., None]
    result = image.copy()
    result[box] = np.rint(share * drawn + (1 - share) * image[box])
    return result


def _find_palette(colors: Picture, brightest: float) -> NDArray[np.float64]:
    """Mean colors (K, 3) of equally many of ``colors`` (N, 3), from dark to the share ``brightest``."""
    order = colors[colors.sum(1, dtype=np.int64).argsort(kind="stable")].astype(np.float64)
    ends = np.linspace(_DARK, brightest, _COLORS + 1) * (len(order) - 1)
    palette = np.array([order[int(low) : int(high) + 1].mean(0) for low, high in pairwise(ends)])
    return np.asarray(ndimage.gaussian_filter1d(palette, _COLORS / 12, axis=0, mode="nearest"))


def find_flow(head: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pixels of ``head`` (h, w) lie across it, from −1 to 1, and down it, from 0 to 1."""
    columns = np.arange(head.shape[1])
    counts = head.sum(1)
    first = np.where(head, columns, head.shape[1]).min(1).astype(float)
    last = np.where(head, columns, -1).max(1).astype(float)
    smooth = max(1.0, 0.06 * counts.max())
    empty = counts == 0
    first[empty] = last[empty] = (columns[0] + columns[-1]) / 2
    middle = ndimage.gaussian_filter1d((first + last) / 2, smooth, mode="nearest")
    half = np.maximum(ndimage.gaussian_filter1d((last - first + 1) / 2, smooth, mode="nearest"), 1.0)
    across = ((columns - middle[:, None]) / half[:, None]).clip(-1.2, 1.2)
    along = np.broadcast_to(np.arange(len(head))[:, None] / max(len(head) - 1, 1), head.shape)
    return across, along


def draw_strands(across: NDArray[np.float64], along: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Light and dark strands, of several widths, along lines on which ``across`` changes little."""
    rng, found = np.random.default_rng(_SEED), np.zeros(across.shape)
    height = along.shape[0] / max(width, 1.0)  # in head widths
    for share in _WIDTHS:
        pixels = max(share * width, _FINEST)
        shape = max(4, round(2.4 * width / 2 / pixels) + 2), max(3, round(height / _LENGTH) + 2)
        noise = rng.normal(size=shape)
        wave = 0.05 * np.sin(2 * np.pi * (1.3 * along * height + rng.uniform()))
        places = [((across + wave) / 2.4 + 0.5).clip(0, 1) * (shape[0] - 1), along * (shape[1] - 1)]
        found += ndimage.map_coordinates(noise, places, order=1, mode="nearest") / len(_WIDTHS) ** 0.5
    return found * 0.5
