"""Fine detail of clothes, which the networks' frame is too small for, carried from their photo at its full size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.batch import from_pictures
from pgen.body.crop import Letterbox
from pgen.body.labels import Label
from pgen.body.transfer import Transfer
from pgen.inference.networks import FramedPerson
from pgen.inference.rendering.background import Picture
from pgen.inference.rendering.seams import blur

#: What is finer than so many pixels of the networks' frame is detail: what it holds comes from H_A.
_FINEST = 0.7
#: No detail is stronger, of 255: what is, is an outline that the map has elsewhere.
_STRONGEST = 48.0


def carry_detail(
    giver: FramedPerson, taker: FramedPerson, parsing: NDArray[np.uint8], exchanges: Mapping[Label, Label]
) -> NDArray[np.float32]:
    """What to add to regions of ``taker`` that were painted in the networks' frame, and enlarged: (H, W, 3).

    Args:
        parsing: the result's map (H, W) at the size of the taker's photo.
        exchanges: labels of that map, and those of the giver's photo that are carried there.
    """
    size = (parsing.shape[0], parsing.shape[1])
    detail = np.zeros((*size, 3), np.float32)
    if taker.enlargement <= 1 or giver.enlargement <= 1:
        return detail
    region = np.isin(parsing, list(exchanges))
    if not region.any():
        return detail
    fit = Letterbox.of(giver.person.crop.size, size)
    shown = fit.parsing(giver.person.parsing)
    source = np.zeros_like(shown)
    for worn, given in exchanges.items():
        source[shown == given] = worn
    images = from_pictures(fit.image(giver.person.image)[None])
    source_pose, pose = (torch.from_numpy(one)[None] for one in (fit.pose(giver.person.pose), taker.person.pose))
    source_map, map_ = (torch.from_numpy(one).long()[None] for one in (source, np.where(region, parsing, 0)))
    paste = Transfer(source_pose, pose, size).paste(images, source_map, map_)
    valid = paste.valid * torch.from_numpy(region.astype(np.float32))
    sigma = _FINEST * taker.enlargement
    near = blur(valid, sigma)
    low = blur(paste.image * valid, sigma) / near.clamp_min(1e-3)
    # At its borders, half of what is around is not known.
    sure = valid * ((near - 0.5) * 2).clamp(0, 1)
    fine = ((paste.image - low) * 127.5).clamp(-_STRONGEST, _STRONGEST) * sure
    return np.asarray(fine[0].permute(1, 2, 0))


def add_detail(image: Picture, detail: NDArray[np.float32]) -> Picture:
    """``image`` (H, W, 3) with ``detail`` of the same shape."""
    return np.rint(np.clip(image + detail, 0, 255)).astype(np.uint8)
