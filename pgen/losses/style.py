"""Semantic-aware style loss: textures, region by region (SPT, section 3.2)."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import Label

#: In fp16, features are divided by this: of 256×256 pixels, sums of their squares would be more than it can hold.
_FP16_UNIT = 64

#: Labels whose texture the style loss compares; the face is left out, as in the authors' code.
STYLE_LABELS = tuple(range(Label.HAIR, Label.R_LEG + 1))


def region_masks(parsing: Tensor, downscale: int = 2) -> Tensor:
    """Masks (B, 8, h, w) of the style loss's regions, ``downscale`` times smaller than the map (B, 10, H, W)."""
    return F.avg_pool2d(parsing[:, list(STYLE_LABELS)], downscale)


def gram_matrices(features: Tensor, masks: Tensor, by_area: bool = False) -> Tensor:
    """G = (M·F)(M·F)ᵀ / (h·w): Gram matrices (B, 8, C, C) of the features (B, C, h, w) inside each region (B, 8, h, w).

    With ``by_area``, an addition, they are divided by the region's own area instead, so that small regions count.
    """
    height, width = features.shape[2:]
    unit = _FP16_UNIT if features.dtype == torch.float16 else 1
    features = features / unit if unit > 1 else features
    gram = cast(Tensor, _MaskedGram.apply(features.contiguous(), masks.contiguous())).float() * unit**2
    if by_area:
        # The share that is added keeps a sliver of a region from dominating.
        return 0.1 * gram / (masks.float().sum((2, 3)) + 0.02 * height * width)[..., None, None]
    return gram / (height * width)


class _MaskedGram(torch.autograd.Function):
    """(M·F)(M·F)ᵀ, (B, K, C, C): its gradients take one product where autograd takes two and adds both up."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, masks: Tensor) -> Tensor:
        ctx.save_for_backward(features, masks)
        masked = (features[:, None] * masks[:, :, None]).flatten(3)
        flat = masked.flatten(0, 1)
        return torch.bmm(flat, flat.transpose(1, 2)).unflatten(0, masked.shape[:2])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        features, masks = ctx.saved_tensors
        both = (gradient + gradient.transpose(2, 3)).to(features.dtype)
        of_features = of_masks = None
        if ctx.needs_input_grad[0]:  # Σ over regions of (G + Gᵀ)·M²·F, which one product adds up
            twice = (features[:, None] * masks.square()[:, :, None]).flatten(1, 2).flatten(2)
            of_features = torch.bmm(both.permute(0, 2, 1, 3).flatten(2), twice).view_as(features)
        if ctx.needs_input_grad[1]:
            flat = features.flatten(2)[:, None]
            of_masks = ((both @ flat) * flat).sum(2).view_as(masks) * masks
        return of_features, of_masks


def shared_regions(masks_a: Tensor, masks_b: Tensor) -> Tensor:
    """How surely a region shows in both maps, 0 to 1: (B, 8, 1, 1), the product of the masks' (B, 8, h, w) maxima."""
    return masks_a.amax((2, 3), keepdim=True) * masks_b.amax((2, 3), keepdim=True)


def style_loss(gram_a: Tensor, gram_b: Tensor, shared: Tensor) -> Tensor:
    """‖V·(G_a − G_b)‖², a mean, of Gram matrices (B, 8, C, C), where V says how surely both show a region."""
    return F.mse_loss(gram_a * shared, gram_b * shared)
