"""Synthetic photos with other necklines, thin and deep ones among them: the parser sees too few from the side."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from pgen.body.batch import PersonBatch
from pgen.body.edits.neckline import Neckline, cut_neckline
from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.training.augment.batch_rng import BatchRng

# Ranges of a neckline's numbers, see `pgen.body.edits.neckline.NECKLINES`; every other one is a V.
_WIDTHS, _DEPTHS, _POWERS = (0.35, 0.8), (-0.05, 0.3), (1.0, 3.0)
_STRAIGHT = 0.5

# Skin below a chin is often darker than a face: by such factors; and it is round: light differs across it by so much.
_SHADES, _ROUND = (0.75, 1.1), 0.1

_FEW = 12  #: pixels that are too few to tell a colour
_SOFT = 0.5  #: standard deviation of a new border, in pixels


def randomize_necklines(views: PersonBatch, dice: BatchRng) -> PersonBatch:
    """``views`` with images in [0, 1] (B, 3, H, W), each with a neckline at random; unchanged where there can be none.

    Bare skin has the face's usual colour; cloth goes on as it is nearest.
    """
    numbers = dice.uniform(0, 1, 5).cpu().numpy()
    fields = dice.field(1, 8, views.size).cpu().numpy()[:, 0]
    images, labels = [], []
    for k in range(len(numbers)):
        image, layout = _recut(
            views.images[k].permute(1, 2, 0).cpu().numpy(),
            views.labels[k].cpu().numpy().astype(np.uint8),
            views.poses[k].cpu().numpy(),
            numbers[k],
            fields[k],
        )
        images.append(torch.from_numpy(image).permute(2, 0, 1))
        labels.append(torch.from_numpy(layout))
    return PersonBatch(_like(images, views.images), _like(labels, views.labels), views.poses)


def _recut(
    image: NDArray[np.float32],
    labels: NDArray[np.uint8],
    pose: NDArray[np.float32],
    numbers: NDArray[np.float32],
    field: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Image (H, W, 3) and map (H, W) with the neckline that ``numbers``, (5,) from 0 to 1, tell."""
    face, cloth = labels == Label.FACE, labels == Label.UPPER
    if face.sum() < _FEW or cloth.sum() < _FEW:
        return image, labels
    width, depth, power = (
        low + (high - low) * u for (low, high), u in zip((_WIDTHS, _DEPTHS, _POWERS), numbers, strict=False)
    )
    neckline: Neckline = (float(width), float(depth), 1.0 if numbers[3] < _STRAIGHT else float(power))
    try:
        layout = cut_neckline(labels, pose, neckline)
    except InputError:
        return image, labels
    low, high = _SHADES
    skin = np.median(image[face], axis=0) * (low + (high - low) * numbers[4]) * (1 + _ROUND * field[..., None])
    rows, columns = ndimage.distance_transform_edt(~cloth, return_distances=False, return_indices=True)
    new = np.where((layout == Label.FACE)[..., None], skin, image[rows, columns])
    share = ndimage.gaussian_filter((layout != labels).astype(np.float32), _SOFT)[..., None]
    return (image + share * (new - image)).clip(0, 1).astype(np.float32), layout


def _like(parts: list[Tensor], whole: Tensor) -> Tensor:
    return torch.stack(parts).to(whole)
