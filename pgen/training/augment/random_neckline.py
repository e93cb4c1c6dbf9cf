"""Synthetic photos with other necklines, thin and deep ones among them: the parser sees too few from the side."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

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

_FEW = 12  #: pixels that are too few to tell a color
_SOFT = 0.5  #: standard deviation of a new border, in pixels


def randomize_necklines(persons: PersonBatch, rng: BatchRng) -> PersonBatch:
    """``persons`` with images in [0, 1] (B, 3, H, W), each with a random neckline; unchanged where there can be none.

    Bare skin has the face's usual color; cloth goes on as it is nearest.
    """
    numbers = rng.uniform(0, 1, 5).cpu().numpy()
    fields = rng.field(1, 8, persons.size).cpu().numpy()[:, 0]
    images, labels = [], []
    for k in range(len(numbers)):
        image, parsing = _change_neckline(
            persons.images[k].permute(1, 2, 0).cpu().numpy(),
            persons.labels[k].cpu().numpy().astype(np.uint8),
            persons.poses[k].cpu().numpy(),
            numbers[k],
            fields[k],
        )
        images.append(torch.from_numpy(image).permute(2, 0, 1))
        labels.append(torch.from_numpy(parsing))
    return PersonBatch(torch.stack(images).to(persons.images), torch.stack(labels).to(persons.labels), persons.poses)


def _change_neckline(
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
        parsing = cut_neckline(labels, pose, neckline)
    except InputError:
        return image, labels
    low, high = _SHADES
    skin = np.median(image[face], axis=0) * (low + (high - low) * numbers[4]) * (1 + _ROUND * field[..., None])
    rows, columns = ndimage.distance_transform_edt(~cloth, return_distances=False, return_indices=True)
    new = np.where((parsing == Label.FACE)[..., None], skin, image[rows, columns])
    share = ndimage.gaussian_filter((parsing != labels).astype(np.float32), _SOFT)[..., None]
    return (image + share * (new - image)).clip(0, 1).astype(np.float32), parsing
