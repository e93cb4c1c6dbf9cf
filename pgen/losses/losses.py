"""The losses, each in the few lines that the paper needs for it (SPT, section 3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.labels import Label

#: Labels whose texture the style loss compares; the face is left out, as in the authors' code.
STYLE_LABELS = tuple(range(Label.HAIR, Label.R_LEG + 1))

#: Stands in a map where no label is known.
UNLABELLED = -100


def gan_real_loss(verdicts: Tensor) -> Tensor:
    """Least-squares GAN: verdicts (B, 1, H, W) should be 1."""
    return (verdicts - 1).square().mean()


def gan_fake_loss(verdicts: Tensor) -> Tensor:
    """Least-squares GAN: verdicts (B, 1, H, W) should be 0."""
    return verdicts.square().mean()


def discriminator_losses(
    discriminators: nn.ModuleDict, judged: Mapping[str, tuple[Tensor, Tensor]]
) -> dict[str, Tensor]:
    """Least-squares GAN, for each discriminator by its name: logits of real should be 1, those of fake 0."""
    result = {}
    for name, (real, fake) in judged.items():
        logits = discriminators[name](torch.cat([real, fake]).contiguous(memory_format=torch.channels_last))
        result[f"{name}_discriminator"] = gan_real_loss(logits[: len(real)]) + gan_fake_loss(logits[len(real) :])
    return result


def parsing_cross_entropy(logits: Tensor, labels: Tensor, pose_mask: Tensor) -> Tensor:
    """H_S: cross entropy against the pseudo label (long, B, H, W), weighted by 1 + M_t (B, 1, H, W).

    Pixels with the label `UNLABELLED` count as without error.
    """
    loss = F.cross_entropy(logits, labels, reduction="none", ignore_index=UNLABELLED)
    return (loss * (1 + pose_mask[:, 0])).mean()


def soft_iou_loss(logits: Tensor, labels: Tensor, together: bool = False) -> Tensor:
    """H_S: 1 − intersection / union of the softmax and the map (long, B, H, W), a mean over each map's labels.

    With ``together``, for the parser, areas are those of all maps of the batch, as in the score that is reported; in
    several processes, or in parts of a batch, of those that are seen at once.

    Pixels with the label `UNLABELLED` count as without error. An addition to the paper: cross entropy counts pixels, so
    that a label that is rare and thin, such as an arm, is left out where it is not sure; here all labels of a map count
    the same.
    """
    known = (labels != UNLABELLED)[:, None]
    found = logits.softmax(1) * known
    true = F.one_hot(labels.clamp_min(0), logits.shape[1]).permute(0, 3, 1, 2).to(found.dtype) * known
    both, of_each, of_true = (part.sum((2, 3)) for part in (found * true, found + true, true))
    if together:
        both, of_each, of_true = (area.sum(0, keepdim=True) for area in (both, of_each, of_true))
    either = of_each - both
    occurs = (of_true > 0).to(found.dtype)
    missed = occurs * (1 - both / either.clamp_min(1))
    return (missed.sum(1) / occurs.sum(1).clamp_min(1)).mean()


def pose_loss(found: Tensor, asked: Tensor) -> Tensor:
    """MSE between the frozen detector's heatmaps (B, 18, h, w) on a generated image and those of the pose asked for."""
    return F.mse_loss(found, asked)


def content_loss(generated: Tensor, original: Tensor) -> Tensor:
    """MSE of relu2_1 features (B, 128, h, w) of the image that came back and of the source."""
    return F.mse_loss(generated, original)


def region_masks(layout: Tensor, shrink: int = 2) -> Tensor:
    """Masks (B, 8, h, w) of the style loss's regions, ``shrink`` times smaller than the map (B, 10, H, W)."""
    return F.avg_pool2d(layout[:, list(STYLE_LABELS)], shrink)


def gram_matrices(features: Tensor, masks: Tensor, by_area: bool = False) -> Tensor:
    """Gram matrix (B, 8, C, C) of the features (B, C, h, w) inside each region (B, 8, h, w).

    Divided by h·w as in the authors' code or, ``by_area``, by the region's own area, so that small regions count.
    """
    batch, channels, height, width = features.shape
    masked = features[:, None].flatten(3) * masks[:, :, None].flatten(3)
    flat = masked.reshape(-1, channels, height * width)
    gram = torch.bmm(flat, flat.transpose(1, 2)).float().reshape(batch, -1, channels, channels)
    if by_area:
        # The share that is added keeps a sliver of a region from dominating.
        return 0.1 * gram / (masks.float().sum((2, 3)) + 0.02 * height * width)[..., None, None]
    return gram / (height * width)


def shared_regions(masks_a: Tensor, masks_b: Tensor) -> Tensor:
    """How surely a region shows in both maps, 0 to 1: (B, 8, 1, 1), the product of the masks' (B, 8, h, w) maxima."""
    return masks_a.amax((2, 3), keepdim=True) * masks_b.amax((2, 3), keepdim=True)


def style_loss(gram_a: Tensor, gram_b: Tensor, shared: Tensor) -> Tensor:
    """Semantic-aware style: MSE between region Gram matrices, over the regions visible in both maps."""
    return F.mse_loss(gram_a * shared, gram_b * shared)


def warp_l1_loss(generated: Tensor, pasted: Tensor, confidence: Tensor) -> Tensor:
    """L1 to the label-aware paste where the source shows the pixel (an addition to the paper)."""
    return ((generated - pasted).abs() * confidence).mean()
