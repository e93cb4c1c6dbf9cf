"""The picture of a result: the figure, carried from the photo and painted by H_A, before a background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from pgen.body.boxes import find_box
from pgen.body.labels import Label
from pgen.inference.rendering.background import Picture
from pgen.inference.rendering.bones import Body
from pgen.inference.rendering.borders import find_near_labels
from pgen.inference.rendering.canvas import SNAP, TRUNK, Canvas
from pgen.inference.rendering.hair import lay_hair
from pgen.inference.rendering.hairstyle import unroll_hair
from pgen.inference.rendering.layout import choose_labels, enlarge_probabilities
from pgen.inference.rendering.places import Grid, find_within, look_up
from pgen.inference.rendering.seams import blend_bands, blur

#: Standard deviation in pixels of a photo of 1000 by which carried and painted pixels go over into each other, and by
#: which outlines are soft.
_SEAM, _SOFT = 1.5, 0.8
#: Neighbours that come from places farther apart, in these deviations, are cut off from each other.
_APART = 4.0
#: How near a border of the result has to be, as a share of the longer side, where the photo shows one.
_BESIDE = 0.006
#: How far beyond what H_S says the figure may reach, torso lengths; and from which probability of background on it is
#: nobody.
_MARGIN, _NOBODY = 0.35, 0.7
#: What is smaller than this share of the figure, and apart from it, is none of it.
_ISLAND = 0.04
#: So much of what is apart from the figure has to be shown by the photo, and not only the other side's: a leg that a
#: long skirt hides is not there.
_SHOWN = 0.5


@dataclass(frozen=True)
class Figure:
    """The figure of a result within a box of it."""

    box: tuple[slice, slice]
    labels: NDArray[np.uint8]  #: (h, w)
    image: Tensor  #: (3, h, w), 0 to 255
    opacity: Tensor  #: (h, w), 0 to 1


def compose_figure(
    canvas: Canvas,
    body: Body,
    probabilities: Tensor,
    paint: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    is_given: bool = False,
) -> Figure:
    """The figure of ``canvas`` with its parts moved as ``body`` says.

    Args:
        probabilities: H_S's, (10, h, w) in the networks' frame; or a given map, one-hot.
        paint: paints a map (h, w) of the networks' frame: H_A's picture of it, (h, w, 3).
    """
    enlarged = enlarge_probabilities(canvas, probabilities)
    grid = Grid(find_box((enlarged[0] < _NOBODY).numpy(), _MARGIN * canvas.unit))
    labels, places, shown_as = choose_labels(canvas, body, enlarged, grid, is_given)
    del enlarged  # the largest of all; what follows needs memory too
    map_ = grid.as_map(labels)
    whole = np.zeros(canvas.size, np.uint8)
    whole[grid.box] = map_.byte().numpy()
    painted = canvas.fit.image_back(paint(canvas.fit.parsing(whole)))[grid.box]
    if "head" not in body.parts and not is_given:
        painted = _lay_hair(canvas, painted, map_.numpy() == Label.HAIR, body.unit)
    base = torch.from_numpy(painted.copy()).permute(2, 0, 1).float()
    carried, valid = carry_pixels(canvas, grid.as_map(shown_as), places)
    is_shown = grid.as_map(valid)
    if not is_given:
        is_own = is_shown & grid.as_map((shown_as == labels) | (shown_as == TRUNK))
        map_ = map_ * torch.from_numpy(find_main_parts(map_.numpy() > 0, is_own.numpy()))
    shown = torch.where(is_shown, grid.as_map(carried).permute(2, 0, 1), base)
    figure = map_ != Label.BACKGROUND
    longer = max(canvas.size) / 1000
    # What lies beyond the outline would be mixed into it: it goes on as it is inside.
    base, shown = _continue_outward(torch.cat([base, shown]), figure).chunk(2)
    image = blend_bands(shown, base, _soften_share(is_shown.float(), _SEAM * longer)).clamp(0, 255)
    image = _soften_cuts(image, grid.as_map(places), max(0.5, _SOFT * longer))
    opacity = blur(figure.float()[None, None], max(0.5, _SOFT * longer))[0, 0]
    opacity = ((opacity - 0.5) * 1.4 + 0.5).clamp(0, 1)
    return Figure(grid.box, map_.byte().numpy(), image, opacity)


def _lay_hair(canvas: Canvas, painted: Picture, hair: NDArray[np.bool_], unit: float) -> Picture:
    """What is ``painted`` (h, w, 3) with the photo's ``hair`` (h, w), if it shows any."""
    unrolled = unroll_hair(canvas) if hair.any() else None
    return painted if unrolled is None else lay_hair(painted, hair, unrolled, canvas.unit / unit)


def find_main_parts(figure: NDArray[np.bool_], is_shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``figure`` (h, w) without what hangs with nothing and is small, or is not shown by the photo: made up."""
    parts, count = ndimage.label(figure)
    if count < 2:
        return figure
    numbers = np.arange(count + 1)
    sizes, shown = ndimage.sum(figure, parts, numbers), ndimage.sum(is_shown & figure, parts, numbers)
    is_main = (sizes >= _ISLAND * sizes.max()) & (shown >= _SHOWN * sizes)
    is_main[sizes.argmax()] = True
    return np.asarray(is_main[parts] & figure)


def carry_pixels(canvas: Canvas, map_: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Colors (N, 3) of the photo at ``places`` (N, 2) for the pixels of ``map_`` (h, w), and which it shows (N,).

    TRUNK stands in ``map_`` where a top may not show a sleeve.
    """
    labels = map_.flatten()
    known = ~places.isnan().any(1) & (labels != Label.BACKGROUND)
    # At a border between two labels the photo is right where it shows the same two.
    beside = find_near_labels(map_.numpy(), _BESIDE * max(canvas.size)).flatten()
    shown = look_up(canvas.near_labels, places)
    valid = known & ((shown >> labels & 1) > 0) & ((shown & ~beside) == 0)
    height, width = canvas.size
    for label in labels[known & ~valid].bincount().nonzero()[:, 0].tolist():
        if label not in canvas.nearest:
            continue
        away, nearest = canvas.nearest[label]
        at = (known & ~valid & (labels == label)).nonzero()[:, 0]
        x, y = (places[at, axis].round().long().clamp(0, side - 1) for axis, side in ((0, width), (1, height)))
        # What comes from beside its label is taken from within it, mirrored.
        close = (away[y, x] <= SNAP * canvas.unit) & find_within(canvas.near_labels, places[at])
        at, x, y = at[close], x[close], y[close]
        border = nearest[:, y, x].flip(0).T.float()
        mirrored = 2 * border - places[at]
        fits = look_up(torch.from_numpy(canvas.find_core(label)), mirrored)
        places[at] = torch.where(fits[:, None], mirrored, border)
        valid[at] = fits if label == TRUNK else True  # behind a whole arm, borders would be drawn out to streaks
    sides = torch.tensor([width, height], dtype=torch.float32)
    normal = ((2 * places + 1) / sides - 1).nan_to_num(0)
    colors = F.grid_sample(
        canvas.pixels[None], normal[None, None], mode="bicubic", padding_mode="border", align_corners=False
    )
    return colors[0, :, 0].T.clamp(0, 255), valid


def lay_over(figure: Figure, background: Picture) -> Picture:
    """``figure`` before ``background`` (H, W, 3)."""
    result = background.copy()
    behind = torch.from_numpy(np.ascontiguousarray(background[figure.box])).permute(2, 0, 1).float()
    mixed = torch.lerp(behind, figure.image, figure.opacity[None])
    result[figure.box] = mixed.round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return result


def _soften_cuts(image: Tensor, places: Tensor, sigma: float) -> Tensor:
    """``image`` (3, h, w), a little blurred where pixels side by side come from ``places`` (h, w, 2) far apart.

    Borders that the photo shows are as soft as they are there.
    """
    is_cut = torch.zeros(places.shape[:2], dtype=torch.bool)
    for axis in (0, 1):
        apart = places.diff(dim=axis).abs().amax(2) > _APART * sigma  # False where one of them comes from nowhere
        length = is_cut.shape[axis] - 1
        is_cut.narrow(axis, 0, length).logical_or_(apart)
        is_cut.narrow(axis, 1, length).logical_or_(apart)
    share = blur(is_cut.float()[None, None], sigma)[0].clamp(0, 0.5) * 2
    return torch.lerp(image, blur(image[None], sigma)[0], share)


def _soften_share(valid: Tensor, sigma: float) -> Tensor:
    """``valid`` (h, w) from 1 to 0 within itself, so that nothing of what is not valid counts."""
    soft = blur(valid[None, None], max(0.5, sigma))[0, 0]
    return ((soft - 0.5) * 2).clamp(0, 1)


def _continue_outward(image: Tensor, figure: Tensor) -> Tensor:
    """``image`` (C, h, w) with the nearest colors of ``figure`` (h, w) outside of it."""
    inside = figure.numpy()
    if not inside.any():
        return image
    rows, columns = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return image[:, torch.from_numpy(rows), torch.from_numpy(columns)]
