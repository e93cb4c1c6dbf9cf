"""Maps of where joints and bones are, of batches of poses: what networks see of a pose."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.batch import downscale_poses
from pgen.body.joints import BONES, fill_missing, known_joints
from pgen.body.parts import torso_lengths

#: Standard deviation of a joint's blob, in pixels of a 256-pixel frame (method of SPT, section 3).
SIGMA = 6.0


def heatmap_sigma(size: tuple[int, int]) -> float:
    """The standard deviation in pixels that suits a frame of ``size`` (height, width)."""
    return SIGMA * max(size) / 256


def heatmaps(poses: Tensor, size: tuple[int, int], sigma: float = SIGMA) -> Tensor:
    """One channel a joint, exp(−d²/2σ²) for d the distance from it in pixels; zeros where it is missing.

    Args:
        poses: (B, 18, 2) of (x, y) in the frame; NaN = missing.
        size: the frame's (height, width).
        sigma: in pixels of this frame.

    Returns:
        (B, 18, height, width) in [0, 1], dtype of ``poses``.
    """
    joints, known = fill_missing(poses)
    rows = torch.arange(size[0], device=poses.device, dtype=torch.float64)
    columns = torch.arange(size[1], device=poses.device, dtype=torch.float64)
    across = torch.exp((columns - joints[..., :1]).square() / (-2 * sigma**2))
    down = torch.exp((rows - joints[..., 1:]).square() / (-2 * sigma**2)) * known[..., None]
    return torch.einsum("bjy,bjx->bjyx", down.to(poses.dtype), across.to(poses.dtype))


def strided_heatmaps(poses: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Heatmaps (B, 18, H/stride, W/stride) of poses in a frame of ``size`` (H, W), in that frame's usual sigma."""
    return heatmaps(
        downscale_poses(poses, stride), (size[0] // stride, size[1] // stride), heatmap_sigma(size) / stride
    )


def limb_maps(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """How near each pixel is to each bone, and how far along it: (B, 17, height, width), dtype of ``poses``.

    exp(−d / (0.15·torso length)) for d the distance to the bone, times a factor that rises from 1/2 at its first joint
    to 1 at its second; zeros for bones with a missing joint. `heatmaps` mark the joints, these what lies between.
    """
    starts, ends = [int(bone[0]) for bone in BONES], [int(bone[1]) for bone in BONES]
    known = known_joints(poses)
    joints = torch.where(known[..., None], poses, 0)
    along = joints[:, ends] - joints[:, starts]
    rows = torch.arange(size[0], device=poses.device, dtype=poses.dtype)[:, None]
    columns = torch.arange(size[1], device=poses.device, dtype=poses.dtype)
    across = columns - joints[:, starts, 0, None, None]
    down = rows - joints[:, starts, 1, None, None]
    dx, dy = along[..., 0, None, None], along[..., 1, None, None]
    share = ((across * dx + down * dy) / (dx.square() + dy.square()).clamp_min(1e-3)).clamp(0, 1)
    distance = ((across - share * dx).square() + (down - share * dy).square()).sqrt()
    scale = 0.15 * torso_lengths(poses).clamp_min(1)[:, None, None, None]
    is_known = (known[:, starts] & known[:, ends])[..., None, None]
    return torch.exp(-distance / scale) * (0.5 + 0.5 * share) * is_known
