"""Semantic-aware style loss: textures, region by region (SPT, section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import Label

#: Labels whose texture the style loss compares; the face is left out, as in the authors' code.
STYLE_LABELS = tuple(range(Label.HAIR, Label.R_LEG + 1))


def region_masks(parsing: Tensor, downscale: int = 2) -> Tensor:
    """Masks (B, 8, h, w) of the style loss's regions, ``downscale`` times smaller than the map (B, 10, H, W)."""
    return F.avg_pool2d(parsing[:, list(STYLE_LABELS)], downscale)


def gram_matrices(features: Tensor, masks: Tensor, by_area: bool = False) -> Tensor:
    """G = (M·F)(M·F)ᵀ / (h·w): Gram matrices (B, 8, C, C) of the features (B, C, h, w) inside each region (B, 8, h, w).

    With ``by_area``, an addition, they are divided by the region's own area instead, so that small regions count.
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
    """‖V·(G_a − G_b)‖², a mean, of Gram matrices (B, 8, C, C), where V says how surely both show a region."""
    return F.mse_loss(gram_a * shared, gram_b * shared)
