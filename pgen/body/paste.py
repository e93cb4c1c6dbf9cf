"""Label-aware paste: the source's pixels carried part by part to the target's map, without a network.

Used three ways: as a guide for H_A (the ``pgen`` recipe), as a target for pixels that the source shows, and as a
baseline. Where a part's warp brings a pixel of the same label as the target map has there, that pixel is pasted; other
figure pixels take the source's mean color of their label; the background is the source's, with the figure filled in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import LABEL_COUNT, SKIN_LABELS, Label
from pgen.body.masks import dilate
from pgen.body.warp import Warp, plan_warp, sample_points

#: Garments on the torso: there the body's warp goes before the limbs', whose pixels would be folds of the arms.
_TORSO_FIRST = (Label.UPPER, Label.SKIRT)

#: Confidence of a pixel filled with its label's mean color, against 1 for a pasted one.
FILL_CONFIDENCE = 0.15

#: So few pixels say nothing about a label's color.
_FEW = 6

#: The mean of all skin counts as so much of the frame beside each skin label's own.
_LITTLE_SKIN = 0.001

#: Shoes count as legs, so that legs say little about skin beside a face or hands.
_LEGS, _LEGS_SAY = (Label.L_LEG, Label.R_LEG), 0.01

#: A middle skin tone in [−1, 1] (RGB 191, 147, 121).
_MIDDLE_SKIN = (0.5, 0.15, -0.05)


@dataclass
class Paste:
    """A pasted image and where it can be trusted."""

    image: Tensor  #: (B, 3, H, W) in [−1, 1]
    valid: Tensor  #: (B, 1, H, W): 1 where a pixel of the source was carried or background kept, else 0
    confidence: Tensor  #: (B, 1, H, W): ``valid``, and :data:`FILL_CONFIDENCE` where a mean color was used


def plan_paste(affines: Tensor, masks: Tensor, source_labels: Tensor, target_labels: Tensor) -> Warp:
    """Warp that carries only pixels whose labels agree; the figure's outermost pixel is left out (ghost outlines).

    Shapes as in :func:`pgen.body.warp.plan_warp`.
    """
    size = (source_labels.shape[1], source_labels.shape[2])
    return plan_warp(affines, masks, size, (erode_labels(source_labels), target_labels))


def carry_points(image: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
    """Colors (P, 3) of the points of ``warp`` from ``image`` (B, 3, H, W), and which are of pixels that it has (P,)."""
    values = sample_points(image.float().permute(0, 2, 3, 1).reshape(-1, 3), warp)
    shares = warp.weights.sum(1)
    # Bilinear weights that fall off at the frame's edge would darken the pixel: divide them out.
    return values / shares.clamp_min(1e-6)[:, None], shares > 0.5


def erode_labels(labels: Tensor) -> Tensor:
    """``labels`` (B, H, W) with −1 on figure pixels that touch the background."""
    background = (labels == Label.BACKGROUND).float()[:, None]
    edge = dilate(background, 1)[:, 0].bool() & (labels != Label.BACKGROUND)
    return labels.masked_fill(edge, -1)


def paste_by_label(image: Tensor, source_labels: Tensor, target_labels: Tensor, warp: Warp) -> Paste:
    """Paste ``image`` (B, 3, H, W) in [−1, 1] of ``source_labels`` (B, H, W) into ``target_labels`` (B, H, W).

    One source, (1, 3, H, W) and (1, H, W), goes into all targets. ``warp`` comes from :func:`plan_paste`.
    Differentiable with respect to the image.
    """
    batch, height, width = target_labels.shape
    count = batch * height * width
    values, usable = carry_points(image.expand(batch, -1, -1, -1), warp)
    target = target_labels.flatten()
    result, valid = values[:count], usable[:count]
    keep_body = torch.isin(target, target.new_tensor(_TORSO_FIRST)) & valid
    for at, points in warp.split_layers():
        better = usable[count:][points] & ~keep_body[at]
        result = result.index_copy(0, at[better], values[count:][points][better])
        valid = valid.index_fill(0, at[better], True)

    figure = target != Label.BACKGROUND
    valid = valid & figure
    fill, known = _average_label_colors(image, source_labels)
    fill, known = fill.expand(batch, -1, -1), known.expand(batch, -1)
    sample = torch.arange(batch, device=image.device).repeat_interleave(height * width)
    result = torch.where(valid[:, None], result, fill[sample, target])
    behind = clean_background(image, source_labels).expand(batch, -1, -1, -1).permute(0, 2, 3, 1).reshape(count, 3)
    result = torch.where(figure[:, None], result, behind)
    confidence = torch.where(figure, known[sample, target].float() * FILL_CONFIDENCE, 1.0)
    valid = valid | ~figure
    confidence = torch.where(valid, 1.0, confidence)

    def as_map(x: Tensor) -> Tensor:
        return x.reshape(batch, height, width, -1).permute(0, 3, 1, 2)

    return Paste(as_map(result), as_map(valid.float()), as_map(confidence))


def _average_label_colors(image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean color of each label (B, 10, 3) and whether the source shows it (B, 10).

    A skin label that the source does not show takes the mean of all skin, or a middle tone if it shows none; any other
    that of the whole figure.
    """
    whole = F.one_hot(labels, LABEL_COUNT).to(image.dtype)
    inner = whole * (erode_labels(labels) >= 0)[..., None]
    # Small regions are all edge.
    small = inner.sum((1, 2), keepdim=True) <= _FEW
    weights = torch.where(small, whole, inner)
    counts = weights.sum((1, 2))
    sums = torch.einsum("bchw,bhwk->bkc", image, weights)
    skin = list(SKIN_LABELS)
    figure_mean = sums[:, 1:].sum(1) / counts[:, 1:].sum(1)[:, None].clamp_min(1)
    skin_count = counts[:, skin].sum(1)
    trust = counts.new_tensor([_LEGS_SAY if label in _LEGS else 1.0 for label in skin])
    skin_mean = (sums[:, skin] * trust[:, None]).sum(1) / (counts[:, skin] * trust).sum(1)[:, None].clamp_min(1e-6)
    skin_mean = torch.where((skin_count > _FEW)[:, None], skin_mean, skin_mean.new_tensor(_MIDDLE_SKIN))
    fallback = figure_mean[:, None].repeat(1, LABEL_COUNT, 1)
    fallback[:, skin] = skin_mean[:, None]
    known = counts > _FEW
    means = torch.where(known[..., None], sums / counts[..., None].clamp_min(1), fallback)
    # A neck of a few pixels under the hair is no measure of a face: where little of it shows, skin is like other skin.
    prior = _LITTLE_SKIN * labels[0].numel()
    alike = (sums[:, skin] + prior * skin_mean[:, None]) / (counts[:, skin, None] + prior)
    means[:, skin] = torch.where(known[:, skin, None], alike, means[:, skin])
    known = known.clone()
    known[:, skin] = (skin_count > _FEW)[:, None]
    return means, known


def clean_background(image: Tensor, labels: Tensor, margin: int = 2) -> Tensor:
    """``image`` (B, 3, H, W) without its figure: each row is interpolated across it from the background beside it.

    Rows without any background take the mean of the whole background; an image without background its own mean.
    """
    batch, _, height, width = image.shape
    figure = (labels != Label.BACKGROUND).float()[:, None]
    figure = dilate(figure, margin)[:, 0].bool()
    behind = ~figure
    columns = torch.arange(width, device=image.device).expand(batch, height, width)
    left = torch.where(behind, columns, -1).cummax(2).values
    right = torch.where(behind, columns, width).flip(2).cummin(2).values.flip(2)
    has_left, has_right = left >= 0, right < width
    # With background on one side only, both ends are that side.
    left_at = torch.where(has_left, left, right.clamp_max(width - 1))
    right_at = torch.where(has_right, right, left.clamp_min(0))
    share = torch.where(has_left & has_right, (columns - left) / (right - left).clamp_min(1), 0.5)
    left_color = image.gather(3, left_at[:, None].expand_as(image))
    right_color = image.gather(3, right_at[:, None].expand_as(image))
    filled = torch.lerp(left_color, right_color, share[:, None].to(image.dtype))

    weight = behind[:, None].to(image.dtype)
    total = weight.sum((2, 3), keepdim=True)
    mean = (image * weight).sum((2, 3), keepdim=True) / total.clamp_min(1)
    mean = torch.where(total > 0, mean, image.mean((2, 3), keepdim=True))
    return torch.where((has_left | has_right)[:, None], filled, mean)


def remove_carried(image: Tensor, labels: Tensor, carried: Tensor) -> Tensor:
    """``image`` (B, 3, H, W) without what is carried, bool (B, H, W): there the background goes on."""
    behind = clean_background(image, labels.masked_fill(carried, Label.UPPER))
    around = dilate(carried.float()[:, None], 1)[:, 0].bool()
    return torch.where((around & (labels == Label.BACKGROUND))[:, None], behind, image)
