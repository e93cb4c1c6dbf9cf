"""Part-wise affine paste: the simplest way to put a person into another pose, from two poses alone."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.masks import dilate, pose_mask_radius, pose_masks
from pgen.body.paste import carry_points, clean_background
from pgen.body.transfer import Transfer
from pgen.body.warp import plan_warp

#: The figure is taken to reach this many radii of the pose mask beyond the mask: clothes are wider than bones.
_REACH = 2.0
#: And so many more for certain: what lies between is neither carried nor taken for background.
_MARGIN = 3.0


def paste_by_part(image: Tensor, transfer: Transfer) -> Tensor:
    """``image`` (B, 3, H, W) in [−1, 1] with its person's ten parts carried to the target pose.

    Without a parsing map the figure is guessed to be the pose mask, grown. Limbs lie over the body; where nothing
    comes, and around, stands the background of the source, interpolated across its figure.
    """
    batch, _, height, width = image.shape
    count = batch * height * width
    figure, target = (_guess_figures(poses, transfer.size) for poses in (transfer.source, transfer.target))
    warp = plan_warp(transfer.affines, transfer.masks, transfer.size, (figure, target))
    values, usable = carry_points(image, warp)
    behind = clean_background(image.float(), figure, round(_MARGIN * pose_mask_radius(transfer.size)))
    behind = behind.permute(0, 2, 3, 1).reshape(count, 3)
    shown = target.flatten() > 0
    result = torch.where((usable[:count] & shown)[:, None], values[:count], behind)
    for at, points in warp.split_layers():
        better = usable[count:][points] & shown[at]
        result = result.index_copy(0, at[better], values[count:][points][better])
    return result.reshape(batch, height, width, 3).permute(0, 3, 1, 2)


def _guess_figures(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Guessed silhouettes, long (B, H, W) of 0 and 1."""
    radius = pose_mask_radius(size)
    grow = max(1, round(_REACH * radius))
    masks = pose_masks(poses, size, radius).float()
    return dilate(masks, grow)[:, 0].long()
