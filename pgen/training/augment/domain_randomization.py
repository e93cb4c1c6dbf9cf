"""Domain randomization: synthetic photos, much varied, so that what is learnt from them holds on real ones.

Images are float (B, 3, H, W) in [0, 1] here, labels long (B, H, W). All randomness comes from `BatchRng`.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pgen.body.batch import PersonBatch
from pgen.body.labels import CLOTH_LABELS, LABEL_COUNT, SKIN_LABELS, Label
from pgen.training.augment.batch_rng import BatchRng, to_image_shape

_MARGIN = 0.1  # of the figure's longer side, left around it, as around a person who was found in a photo

# Shares of samples that keep their background, get another photo as one, or noise; the rest get a plain one.
_KEPT, _FROM_PHOTO, _FROM_NOISE = 0.3, 0.3, 0.25

_HALF_BODIES = 0.3  # share of samples that show part of the figure
_REFOCUS, _NOISE, _JPEG = 0.6, 0.5, 0.3  # shares of samples that are blurred or sharpened, noisy, compressed

# Shares of poor photos that are small ones enlarged, that are out of focus, and that are dark; the last are noisy too.
_SMALL, _BLURRED, _DARK = 0.45, 0.35, 0.4


def recolor_garments(images: Tensor, labels: Tensor, rng: BatchRng) -> Tensor:
    """Other colors and patterns of clothes and hair, other shades of skin."""
    spread = torch.zeros(LABEL_COUNT, device=images.device)
    spread[list(CLOTH_LABELS)], spread[Label.HAIR], spread[list(SKIN_LABELS)] = 0.35, 0.25, 0.2
    tint = 0.6 * spread
    tint[list(SKIN_LABELS)] = 0.03  # skin differs in how dark it is, little in its hue
    spread, tint = spread[:, None], tint[:, None]
    shade = rng.normal(1, 1) * 0.15 * (spread > 0) + rng.normal(LABEL_COUNT, 1) * spread
    gains = torch.exp(shade + tint * rng.normal(LABEL_COUNT, 3))
    gains[:, list(SKIN_LABELS)] = gains[:, [Label.FACE]]  # a person's skin has one color
    gain = gains[torch.arange(len(labels), device=labels.device)[:, None, None], labels].permute(0, 3, 1, 2)
    size = (labels.shape[1], labels.shape[2])
    rows, columns = torch.meshgrid(*(torch.linspace(0, 1, n, device=images.device) for n in size), indexing="ij")
    waves, turn = rng.uniform(4, 60), rng.uniform(0, math.pi)
    across = to_image_shape(waves * turn.cos()) * columns + to_image_shape(waves * turn.sin()) * rows
    stripes = torch.sin(2 * math.pi * across) * to_image_shape(rng.uniform(0, 0.3) * rng.chance(0.35))
    spots = 0.12 * rng.field(1, 12, size) + 0.1 * rng.field(1, 64, size)
    worn = torch.isin(labels, torch.tensor(CLOTH_LABELS, device=labels.device))[:, None]
    return (images * gain * (1 + worn * (stripes + spots))).clamp(0, 1)


def replace_background(images: Tensor, labels: Tensor, others: Tensor, rng: BatchRng) -> Tensor:
    """The figures before other backgrounds: crops of the photos ``others``, noise, plain or shaded colors."""
    kind = rng.uniform(0, 1)
    ground = images.clone()
    first = _KEPT
    for share, background in (
        (_FROM_PHOTO, _crop_photo),
        (_FROM_NOISE, _make_noise),
        (1 - _KEPT - _FROM_PHOTO - _FROM_NOISE, _make_plain),
    ):
        which = (kind >= first) & (kind < first + share)
        first += share
        if which.any():
            ground[which] = background(others[which], rng.select(which)).clamp(0, 1)
    figure = F.avg_pool2d((labels > 0).to(images.dtype)[:, None], 3, 1, 1, count_include_pad=False)
    return ground + figure * (images - ground)


def _crop_photo(others: Tensor, rng: BatchRng) -> Tensor:
    zoom = rng.uniform(0.35, 1.0)
    theta = torch.zeros(len(others), 2, 3, device=others.device)
    theta[:, 0, 0] = zoom * torch.where(rng.chance(0.5), 1.0, -1.0)
    theta[:, 1, 1] = zoom
    theta[:, :, 2] = rng.uniform(-0.8, 0.8, 2)
    grid = F.affine_grid(theta, list(others.shape), align_corners=False)
    return F.grid_sample(others, grid, padding_mode="reflection", align_corners=False)


def _make_plain(others: Tensor, rng: BatchRng) -> Tensor:
    size = (others.shape[2], others.shape[3])
    return rng.uniform(0.05, 1, 3)[..., None, None] + 0.15 * rng.field(1, 2, size)


def _make_noise(others: Tensor, rng: BatchRng) -> Tensor:
    size = (others.shape[2], others.shape[3])
    fine = 0.12 * rng.field(3, 24, size) + 0.08 * rng.field(1, 96, size)
    return _make_plain(others, rng) + 0.15 * rng.field(3, 5, size) + fine


def crop_randomly(persons: PersonBatch, rng: BatchRng) -> PersonBatch:
    """Each figure turned, and cropped as a photo in which it was found is: whole or in part, with a margin.

    The images keep their size, the labels get half of it, where a pixel has the label of its middle.
    """
    middle, side = _find_boxes(persons.labels)
    part = rng.chance(_HALF_BODIES)
    side = side * (1 + 2 * _MARGIN) * torch.exp(0.12 * rng.normal())
    side = side * torch.where(part, rng.uniform(0.4, 0.8), 1.0)
    away = torch.where(part[:, None], rng.uniform(-0.5, 0.5, 2) * side[:, None], 0.06 * side[:, None] * rng.normal(2))
    away[:, 0] = torch.where(part, 0.3 * away[:, 0], away[:, 0])
    turn = 0.12 * rng.normal()
    return crop_persons(persons, middle + away, side, turn)


def crop_whole(persons: PersonBatch) -> PersonBatch:
    """Each figure cropped with a margin, as `crop_randomly` does, with nothing random about it."""
    middle, side = _find_boxes(persons.labels)
    return crop_persons(persons, middle, side * (1 + 2 * _MARGIN), torch.zeros_like(side))


def crop_persons(persons: PersonBatch, middle: Tensor, side: Tensor, turn: Tensor) -> PersonBatch:
    """What fills the frame after: its longer side is ``side`` (B,) pixels, its middle ``middle`` (B, 2), (x, y).

    It is turned by ``turn`` (B,) radians. Joints outside become missing. The labels are at half the size.
    """
    height, width = persons.size
    half = torch.tensor([width, height], device=middle.device) / 2
    along, down = torch.stack([turn.cos(), turn.sin()], 1), torch.stack([-turn.sin(), turn.cos()], 1)
    axes = torch.stack([along, down], 2) * half * (side / max(persons.size))[:, None, None]  # pixels, a column an axis
    theta = torch.cat([axes / half[:, None], ((middle + 0.5) / half - 1)[..., None]], 2)
    small = [len(side), 1, height // 2, width // 2]
    grid = F.affine_grid(theta, list(persons.images.shape), align_corners=False)
    images = F.grid_sample(persons.images, grid, "bilinear", "border", align_corners=False)
    labels = persons.labels[:, None].to(images.dtype)
    labels = F.grid_sample(labels, F.affine_grid(theta, small, False), "nearest", "border", align_corners=False)
    poses = torch.einsum("bij,bkj->bki", torch.linalg.inv(axes), persons.poses - middle[:, None])
    poses = (poses + 1) * half - 0.5
    inside = ((poses > -0.5) & (poses < 2 * half - 0.5)).all(2)
    return PersonBatch(images, labels[:, 0].long(), torch.where(inside[..., None], poses, torch.nan))


def photometric_distort(images: Tensor, rng: BatchRng) -> Tensor:
    """Other light, colors, sharpness, noise and compression."""
    size = (images.shape[2], images.shape[3])
    light = 1 + 0.12 * rng.field(1, 3, size) + to_image_shape(rng.uniform(-0.3, 0.2))
    tint = torch.exp(0.06 * rng.normal(3))[..., None, None]
    images = (images * light * tint).clamp(1e-3, 1) ** to_image_shape(torch.exp(0.25 * rng.normal()))
    mean = images.mean((2, 3), keepdim=True)
    images = mean + (images - mean) * to_image_shape(rng.uniform(0.75, 1.25))
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * to_image_shape(rng.uniform(0.5, 1.4))
    for share, change in ((_REFOCUS, _refocus), (_NOISE, _add_noise), (_JPEG, _compress)):
        which = rng.chance(share)
        if which.any():
            images[which] = change(images[which], rng.select(which)).clamp(0, 1)
    return images.clamp(0, 1)


def spoil_photos(images: Tensor, rng: BatchRng) -> Tensor:
    """Photos as poor cameras take them: a third or quarter as large, out of focus, in low light."""
    images = images.clone()
    for share, change in ((_SMALL, _enlarge), (_BLURRED, _blur), (_DARK, _darken)):
        which = rng.chance(share)
        if which.any():
            images[which] = change(images[which], rng.select(which)).clamp(0, 1)
    return images


def _enlarge(images: Tensor, rng: BatchRng) -> Tensor:
    size, found = images.shape[2:], []
    for image, factor in zip(images, rng.uniform(1.5, 4.5).tolist(), strict=True):
        fewer = [max(1, round(side / factor)) for side in size]
        small = F.interpolate(image[None], size=fewer, mode="bilinear", antialias=True, align_corners=False)
        found.append(F.interpolate(small, size=size, mode="bilinear", align_corners=False))
    return torch.cat(found)


def _blur(images: Tensor, rng: BatchRng) -> Tensor:
    found = []
    for image, radius in zip(images[:, None], rng.uniform(1, 4.5).int().tolist(), strict=True):
        for _ in range(2):
            image = F.avg_pool2d(image, 2 * radius + 1, 1, radius, count_include_pad=False)
        found.append(image)
    return torch.cat(found)


def _darken(images: Tensor, rng: BatchRng) -> Tensor:
    light = to_image_shape(rng.uniform(0.12, 0.6))
    images = images.clamp(1e-3, 1) ** to_image_shape(rng.uniform(1, 1.4)) * light
    return images + rng.normal(*images.shape[1:]) * to_image_shape(rng.uniform(0.01, 0.05))


def _refocus(images: Tensor, rng: BatchRng) -> Tensor:
    blurred = F.avg_pool2d(images, 5, 1, 2, count_include_pad=False)
    return torch.lerp(images, blurred, to_image_shape(rng.uniform(-0.4, 1)))


def _add_noise(images: Tensor, rng: BatchRng) -> Tensor:
    return images + rng.normal(*images.shape[1:]) * to_image_shape(rng.uniform(0.005, 0.05))


def _compress(images: Tensor, rng: BatchRng) -> Tensor:
    """Images (B, 3, H, W) as they come out of JPEG files."""
    found = []
    for image, quality in zip(images, rng.uniform(15, 95).tolist(), strict=True):
        file = io.BytesIO()
        pixels = (image.clamp(0, 1) * 255).byte().permute(1, 2, 0).cpu().numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
        found.append(torch.from_numpy(np.array(Image.open(file))).to(images).permute(2, 0, 1) / 255)
    return torch.stack(found)


def _find_boxes(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Middle (B, 2), (x, y), and longer side (B,), at least 8 pixels, of the figures in maps (B, H, W)."""
    spans = []
    for along in (1, 2):  # columns that show some of it, then rows
        occurs = (labels > 0).any(along)
        places = torch.arange(occurs.shape[1], device=labels.device).expand_as(occurs)
        none = ~occurs.any(1)
        first = torch.where(occurs, places, occurs.shape[1]).amin(1).masked_fill(none, 0)
        last = torch.where(occurs, places, -1).amax(1).masked_fill(none, occurs.shape[1] - 1)
        spans.append(torch.stack([first, last], 1).float())
    box = torch.stack(spans, 1)
    return box.mean(2), (box[..., 1] - box[..., 0] + 1).amax(1).clamp_min(8)
