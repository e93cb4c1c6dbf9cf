"""Deformable skip: source features carried to the target pose, part by part.

Definition (SPT, after Deformable GANs): the feature is warped by each of the ten part transforms (bilinear, zeros
outside), each result is multiplied by its part mask resized to the feature's size, and the maximum over the ten is
taken.

Nine of the ten masks are small, so ten full warps are mostly multiplications by zero. Here every target pixel is
sampled once by the body's transform, and again only by those of parts in whose masks it is; the result is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]


@dataclass
class Warp:
    """Where each value of a warped feature of one size comes from, for a batch. Built by :func:`plan_warp`.

    A *point* is one (target pixel, part). The first B·h·w points are the body's, in row-major order of (sample, y, x);
    the others follow, grouped into layers within which no target pixel occurs twice.
    """

    batch: int
    size: Size
    taps: Tensor  #: int64 (P, 4): rows of the flattened source feature that each point mixes
    weights: Tensor  #: float32 (P, 4): bilinear weight × part mask
    targets: Tensor  #: int64 (P − B·h·w,): the target row of each point after the body's
    layers: tuple[int, ...]  #: number of points in each layer after the body's
    unfloored: Tensor | None = None  #: int64: rows that all nine limb masks cover, where 0 is not a candidate

    def split_layers(self) -> Iterator[tuple[Tensor, slice]]:
        """For each layer, the target rows of its points, and where these are among those after the body's."""
        start = 0
        for length in self.layers:
            points = slice(start, start + length)
            yield self.targets[points], points
            start += length

    @cached_property
    def transpose(self) -> tuple[Tensor, Tensor, Tensor]:
        """The transposed sampling matrix: (points, weights, offsets) of the taps grouped by source row."""
        rows = self.batch * self.size[0] * self.size[1]
        sorted_rows, order = torch.sort(self.taps.flatten().int())
        offsets = F.pad(torch.bincount(sorted_rows, minlength=rows).cumsum(0), (1, 0))
        return order >> 2, self.weights.flatten()[order], offsets


def _find_source_positions(affines: Tensor, frame: Size, size: Size, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Source pixel (x, y) at feature size for target pixels (x, y) under ``affines`` (..., 2, 3) of the full frame.

    The authors' convention: coordinates run over [0, 1] from the first to the last pixel center
    (``align_corners=True``), while the translation is divided by the full width or height.
    """
    (frame_height, frame_width), (height, width) = frame, size
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    a, b, c, d, e, f = affines.flatten(-2).unbind(-1)
    aspect = frame_height / frame_width
    source_u = a * u + b * aspect * v + c / frame_width
    source_v = d / aspect * u + e * v + f / frame_height
    return source_u * (width - 1), source_v * (height - 1)


def _find_bilinear_taps(x: Tensor, y: Tensor, base: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Rows (..., 4) and weights (..., 4) of the four neighbours of (x, y); neighbours outside get weight 0."""
    height, width = size
    (left, right), (left_share, right_share) = _find_linear_taps(x, width)
    (top, bottom), (top_share, bottom_share) = _find_linear_taps(y, height)
    top, bottom = base + top * width, base + bottom * width
    rows = [top + left, top + right, bottom + left, bottom + right]
    weights = [left_share * top_share, right_share * top_share, left_share * bottom_share, right_share * bottom_share]
    return torch.stack(rows, -1), torch.stack(weights, -1)


def _find_linear_taps(position: Tensor, length: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two neighbours on an axis and their weights, see `_find_bilinear_taps`."""
    position = position.clamp(-2.0, length + 1.0)
    first = position.floor()
    share, second = position - first, first + 1
    first_weight = (1 - share) * ((first >= 0) & (first < length))
    second_weight = share * ((second >= 0) & (second < length))
    taps = first.clamp(0, length - 1).long(), second.clamp(0, length - 1).long()
    return taps, (first_weight, second_weight)


def plan_warp(affines: Tensor, masks: Tensor, size: Size, labels: tuple[Tensor, Tensor] | None = None) -> Warp:
    """Plan the deformable skip of features of ``size`` (h, w).

    Args:
        affines: (B, 10, 2, 3), target → source pixels of the full frame; part 0 is the body.
        masks: bool or float (B, 10, H, W), masks of the target's parts in the full frame (H, W); the body's mask is
            taken as all ones, whatever it holds.
        labels: the maps of source, long (B, H, W) or one for all (1, H, W), and target, long (B, H, W). If given, a
            value is only carried where the label it comes from equals the label it goes to (an addition to the paper's
            definition).
    """
    batch, _, *frame_dims = masks.shape
    frame: Size = (frame_dims[0], frame_dims[1])
    height, width = size
    device = affines.device
    affines = affines.float()
    limb_masks = masks[:, 1:].float()
    if frame != size:
        limb_masks = F.interpolate(limb_masks, size, mode="bilinear", align_corners=False)

    pixel_y = torch.arange(height, device=device, dtype=torch.float32)[:, None]
    pixel_x = torch.arange(width, device=device, dtype=torch.float32)[None, :]
    body_x, body_y = _find_source_positions(affines[:, 0, None, None], frame, size, pixel_x, pixel_y)
    body_sample = torch.arange(batch, device=device)[:, None, None].expand(batch, height, width)

    active = limb_masks > 0
    sample, part, y, x = active.nonzero(as_tuple=True)
    layer = (active.cumsum(1, dtype=torch.int8) - 1)[sample, part, y, x]
    order = torch.sort(layer, stable=True).indices
    sample, part, y, x = sample[order], part[order], y[order], x[order]
    limb_x, limb_y = _find_source_positions(affines[sample, part + 1], frame, size, x.float(), y.float())

    source_x = torch.cat([body_x.flatten(), limb_x])
    source_y = torch.cat([body_y.flatten(), limb_y])
    samples = torch.cat([body_sample.flatten(), sample])
    mask = torch.cat([torch.ones(batch * height * width, device=device), limb_masks[sample, part, y, x]])
    targets = (sample * height + y) * width + x

    taps, weights = _find_bilinear_taps(source_x, source_y, samples * (height * width), size)
    if labels is not None:
        nearest_x = source_x.round().clamp(0, width - 1).long()
        nearest_y = source_y.round().clamp(0, height - 1).long()
        coming = resize_labels(labels[0], size).expand(batch, -1, -1)[samples, nearest_y, nearest_x]
        going_to = resize_labels(labels[1], size).flatten()
        mask = mask * (coming == torch.cat([going_to, going_to[targets]]))
    weights = weights * mask[:, None]

    covered = active.all(1)
    layers = torch.bincount(layer).tolist() if len(layer) else []
    unfloored = covered.flatten().nonzero()[:, 0] if len(layers) == limb_masks.shape[1] else None
    return Warp(batch, size, taps, weights, targets, tuple(layers), unfloored)


def resize_labels(labels: Tensor, size: Size) -> Tensor:
    """Label map (B, H, W) at another size by the nearest pixel."""
    if tuple(labels.shape[-2:]) == size:
        return labels
    return F.interpolate(labels[:, None].float(), size, mode="nearest-exact")[:, 0].long()


def _sample(rows: Tensor, warp: Warp) -> Tensor:
    return F.embedding_bag(warp.taps, rows, per_sample_weights=warp.weights.to(rows.dtype), mode="sum")


def _sample_transposed(gradient: Tensor, warp: Warp) -> Tensor:
    points, weights, offsets = warp.transpose
    weights = weights.to(gradient.dtype)
    return F.embedding_bag(points, gradient, offsets, per_sample_weights=weights, mode="sum", include_last_offset=True)


class _SamplePoints(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows: Tensor, warp: Warp) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.warp = warp
        return _sample(rows, warp)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        return _sample_transposed(gradient.contiguous(), ctx.warp), None


def sample_points(rows: Tensor, warp: Warp) -> Tensor:
    """Value (P, C) of every point of ``warp``, from the source's pixels as rows (B·h·w, C)."""
    return _SamplePoints.apply(rows, warp)


class _DeformableSkip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows: Tensor, warp: Warp) -> Tensor:  # type: ignore[no-untyped-def]
        count = len(rows)
        values = _sample(rows, warp)
        result = values[:count].clamp_min(0)
        if warp.unfloored is not None:
            result[warp.unfloored] = values[warp.unfloored]
        for at, points in warp.split_layers():
            result[at] = torch.maximum(result[at], values[count:][points])
        ctx.warp = warp
        ctx.save_for_backward(values, result)
        return result

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        values, result = ctx.saved_tensors
        warp: Warp = ctx.warp
        count = len(result)
        winners = torch.empty_like(values)
        body_won, limbs_won = values[:count] == result, values[count:] == result[warp.targets]
        # Of equal candidates one gets the gradient.
        free = torch.ones_like(body_won)
        for at, points in warp.split_layers():
            limbs_won[points] &= free[at]
            free[at] &= ~limbs_won[points]
        torch.mul(gradient, body_won & free, out=winners[:count])
        torch.mul(gradient[warp.targets], limbs_won, out=winners[count:])
        return _sample_transposed(winners, warp), None


def deformable_skip(feature: Tensor, warp: Warp) -> Tensor:
    """Carry ``feature`` (B, C, h, w) of the source to the target pose; same shape, channels-last in memory.

    The feature of one source (1, C, h, w) goes to all target poses. Fastest for features that are channels-last
    already.
    """
    if len(feature) == 1:
        feature = feature.expand(warp.batch, -1, -1, -1)
    batch, channels, height, width = feature.shape
    if (batch, (height, width)) != (warp.batch, warp.size):
        raise ValueError(f"feature of shape {tuple(feature.shape)} does not fit a warp of {warp.batch} × {warp.size}")
    result = _DeformableSkip.apply(feature.permute(0, 2, 3, 1).reshape(-1, channels), warp)
    return result.reshape(batch, height, width, channels).permute(0, 3, 1, 2)
