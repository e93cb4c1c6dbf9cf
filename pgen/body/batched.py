"""Heatmaps, masks and transforms of whole batches of poses, in torch, on the poses' device.

These equal the numpy forms in ``heatmaps``, ``parts`` and ``posemask``, which say what is computed. Poses are
(B, 18, 2) of (x, y) in pixels, NaN = missing; sizes are (height, width). Nothing loops over samples or parts,
and no NaN comes out, but of `part_corners`. Inside, coordinates are float64: half a pixel in the wrong place would
show.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pgen.body.affine import NOWHERE, fit_affines
from pgen.body.heatmaps import SIGMA
from pgen.body.joints import BONES, HEAD_JOINTS, TORSO_JOINTS
from pgen.body.parts import (
    BODY_CORNERS,
    EXTEND,
    HEAD_HALF_SIDE,
    LIMB_HALF_WIDTH,
    LIMBS,
    MASK_EXTEND,
    MIRRORED_LIMBS,
    SHOULDERS,
    TRANSFORM_EXTEND,
)
from pgen.body.pose_mask import CLOSING, RADIUS
from pgen.body.raster import RIM, capsule_spans, convex_spans, fill_spans, hull_spans

_STARTS = [int(limb[0]) for limb in LIMBS]
_ENDS = [int(limb[1]) for limb in LIMBS]


def known_joints(poses: Tensor) -> Tensor:
    """Which joints are known: bool (B, 18)."""
    return poses.isfinite().all(dim=-1)


def torso_lengths(poses: Tensor) -> Tensor:
    """Torso lengths in pixels (B,), dtype of ``poses``; 0 unless both shoulders and hips are known."""
    return _torso_lengths(*_joints(poses)).to(poses.dtype)


def heatmaps(poses: Tensor, size: tuple[int, int], sigma: float = SIGMA) -> Tensor:
    """Joint heatmaps (B, 18, height, width), dtype of ``poses``; ``sigma`` in pixels of the frame."""
    joints, there = _joints(poses)
    rows = torch.arange(size[0], device=poses.device, dtype=torch.float64)
    columns = torch.arange(size[1], device=poses.device, dtype=torch.float64)
    across = torch.exp((columns - joints[..., :1]).square() / (-2 * sigma**2))
    down = torch.exp((rows - joints[..., 1:]).square() / (-2 * sigma**2)) * there[..., None]
    return torch.einsum("bjy,bjx->bjyx", down.to(poses.dtype), across.to(poses.dtype))


def limb_maps(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """How near each pixel is to each bone, and how far along it: (B, 17, height, width), dtype of ``poses``.

    exp(−d / (0.15·torso length)) for d the distance to the bone, times a factor that rises from 1/2 at its first joint
    to 1 at its second; zeros for bones with a missing joint. `heatmaps` mark the joints, these what lies between.
    """
    starts, ends = [int(bone[0]) for bone in BONES], [int(bone[1]) for bone in BONES]
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0)
    along = joints[:, ends] - joints[:, starts]
    rows = torch.arange(size[0], device=poses.device, dtype=poses.dtype)[:, None]
    columns = torch.arange(size[1], device=poses.device, dtype=poses.dtype)
    across = columns - joints[:, starts, 0, None, None]
    down = rows - joints[:, starts, 1, None, None]
    dx, dy = along[..., 0, None, None], along[..., 1, None, None]
    share = ((across * dx + down * dy) / (dx.square() + dy.square()).clamp_min(1e-3)).clamp(0, 1)
    distance = ((across - share * dx).square() + (down - share * dy).square()).sqrt()
    scale = 0.15 * torso_lengths(poses).clamp_min(1)[:, None, None, None]
    is_known = (there[:, starts] & there[:, ends])[..., None, None]
    return torch.exp(-distance / scale) * (0.5 + 0.5 * share) * is_known


def part_masks(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks of the ten parts: bool (B, 10, height, width)."""
    height, width = size
    joints, there = _joints(poses)
    rows = torch.arange(height, device=poses.device)

    # Every part, rectangle or square, is at most one span of columns in each row.
    quads, limbs_there = _limbs(joints, there, MASK_EXTEND)
    first, stop = convex_spans(quads, height)
    box = _head_boxes(joints, there, size)[:, :, None]
    in_head = (rows >= box[:, 1]) & (rows < box[:, 3])
    body = torch.full((len(poses), 1, height), width, device=poses.device)
    firsts = torch.cat([torch.zeros_like(body), box[:, :1].expand_as(body), first], dim=1)
    stops = torch.cat([body, (box[:, 2] * in_head)[:, None], stop * limbs_there[..., None]], dim=1)
    columns = torch.arange(width, device=poses.device, dtype=torch.int32)
    inside = columns >= firsts[..., None].to(torch.int32)
    return inside.logical_and_(columns < stops[..., None].to(torch.int32))


def part_corners(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Corners of the ten parts (B, 10, 4, 2), dtype of ``poses``; NaN where a part's joints are missing."""
    joints, there = _joints(poses)
    limbs, limbs_there = _limbs(joints, there, TRANSFORM_EXTEND)
    body = list(BODY_CORNERS)
    box = _head_boxes(joints, there, size)
    head = box[:, [0, 1, 2, 1, 2, 3, 0, 3]].unflatten(1, (4, 2)).to(joints.dtype)
    corners = torch.cat([joints[:, None, body], head[:, None], limbs], dim=1)
    is_known = torch.cat([there[:, body].all(dim=1, keepdim=True), (box[:, 2:3] > box[:, 0:1]), limbs_there], dim=1)
    return torch.where(is_known[..., None, None], corners, torch.nan).to(poses.dtype)


def part_affines(source: Tensor, target: Tensor) -> Tensor:
    """Affines of the ten parts from target to source pixels: (B, 10, 2, 3), dtype of ``source``."""
    image_joints, image_there = _joints(source)
    joints, there = _joints(target)
    both = image_there & there

    limbs, limbs_there = _limbs(joints, there, TRANSFORM_EXTEND)
    images, images_there = _limbs(image_joints, image_there, TRANSFORM_EXTEND)
    mirrored = list(MIRRORED_LIMBS)
    images = torch.where(images_there[..., None, None], images, images[:, mirrored])
    limb_weights = limbs_there & (images_there | images_there[:, mirrored])

    body = list(BODY_CORNERS)
    head = [*HEAD_JOINTS, *SHOULDERS]
    body_weights = both[:, body].all(dim=1, keepdim=True).expand(-1, len(body))
    head_weights = both[:, head] & both[:, list(SHOULDERS)].all(dim=1, keepdim=True)
    head_weights = head_weights & both[:, list(HEAD_JOINTS)].any(dim=1, keepdim=True)

    # All parts in one system: as many point slots as the head may fill, unused ones with weight 0.
    slots = len(head)
    fitted, _ = fit_affines(
        _stack(joints[:, body], joints[:, head], limbs),
        _stack(image_joints[:, body], image_joints[:, head], images),
        torch.cat(
            [
                functional.pad(body_weights, (0, slots - len(body)))[:, None],
                head_weights[:, None],
                functional.pad(limb_weights[..., None].expand(-1, -1, 4), (0, slots - 4)),
            ],
            dim=1,
        ),
    )
    return fitted.to(source.dtype)


def face_affines(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Affines from the whole frame to each head box, NOWHERE without one: (B, 2, 3), dtype of ``poses``."""
    height, width = size
    joints, there = _joints(poses)
    box = _head_boxes(joints, there, size).to(poses.dtype)
    left, top, right, bottom = box.unbind(dim=1)
    zero = torch.zeros_like(left)
    affines = torch.stack([(right - left) / width, zero, left, zero, (bottom - top) / height, top], dim=1)
    nowhere = torch.as_tensor(NOWHERE, dtype=poses.dtype).to(poses.device)
    return torch.where((right > left)[:, None, None], affines.unflatten(1, (2, 3)), nowhere)


def pose_masks(poses: Tensor, size: tuple[int, int], radius: float = RADIUS) -> Tensor:
    """Pose masks (B, 1, height, width) of 0 and 1, dtype of ``poses``; ``radius`` in pixels of the frame."""
    height, width = size
    joints, there = _joints(poses)
    starts, ends = [int(bone[0]) for bone in BONES], [int(bone[1]) for bone in BONES]
    bones = capsule_spans(joints[:, starts], joints[:, ends], radius + RIM, height)
    torso = hull_spans(joints[:, list(TORSO_JOINTS)], height)
    torso_there = there[:, list(TORSO_JOINTS)].all(dim=1, keepdim=True)
    left, right = (torch.cat([bone, body[:, None]], dim=1) for bone, body in zip(bones, torso, strict=True))
    shape_there = torch.cat([there[:, starts] & there[:, ends], torso_there], dim=1)
    mask = fill_spans(left, right, shape_there, width)[:, None].to(poses.dtype)
    grown = functional.max_pool2d(mask, CLOSING, stride=1, padding=CLOSING // 2)
    return -functional.max_pool2d(-grown, CLOSING, stride=1, padding=CLOSING // 2)


def _joints(poses: Tensor) -> tuple[Tensor, Tensor]:
    """Joints in float64 with 0 for the missing ones, and which are known."""
    there = known_joints(poses)
    return torch.where(there[..., None], poses, 0).to(torch.float64), there


def _torso_lengths(joints: Tensor, there: Tensor) -> Tensor:
    right_shoulder, left_shoulder, right_hip, left_hip = joints[:, list(TORSO_JOINTS)].unbind(dim=1)
    squares = (right_hip - right_shoulder).square().sum(-1) + (left_hip - left_shoulder).square().sum(-1)
    return (squares / 2).sqrt() * there[:, list(TORSO_JOINTS)].all(dim=1)


def _limbs(joints: Tensor, there: Tensor, extend: float) -> tuple[Tensor, Tensor]:
    """Limb rectangles (B, 8, 4, 2), finite though meaningless where unknown; which are known (B, 8)."""
    start, end = joints[:, _STARTS], joints[:, _ENDS]
    share = torch.tensor([[extend if limb[2] else EXTEND] for limb in LIMBS], dtype=joints.dtype)
    start = start + EXTEND * (start - end)
    end = end + share.to(joints.device) * (end - start)
    along = start - end
    normal = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    normal = normal / _length(normal)
    torso = _torso_lengths(joints, there)[:, None]
    half = LIMB_HALF_WIDTH * torso[..., None] * normal
    corners = torch.stack([start + half, start - half, end - half, end + half], dim=2)
    return corners, there[:, _STARTS] & there[:, _ENDS] & (torso > 0)


def _head_boxes(joints: Tensor, there: Tensor, size: tuple[int, int]) -> Tensor:
    """Head boxes (B, 4) as int64 left, top, right, bottom; all 0 where there is none."""
    head = list(HEAD_JOINTS)
    count = there[:, head].sum(dim=1)
    centre = (joints[:, head].sum(dim=1) / count.clamp(min=1)[:, None]).trunc()
    half = (HEAD_HALF_SIDE * _torso_lengths(joints, there)).trunc()[:, None]
    limits = torch.tensor([size[1], size[0]], dtype=joints.dtype).to(joints.device)
    low, high = (centre - half).clamp(min=0), torch.minimum(centre + half, limits)
    there_at_all = (low < high).all(dim=1) & (count > 0)
    return (torch.cat([low, high], dim=1) * there_at_all[:, None]).to(torch.int64)


def _stack(body: Tensor, head: Tensor, limbs: Tensor) -> Tensor:
    """Points of the ten parts in one tensor (B, 10, 7, 2); slots beyond a part's points hold zeros."""
    slots = head.shape[1]
    body = functional.pad(body, (0, 0, 0, slots - body.shape[1]))
    limbs = functional.pad(limbs, (0, 0, 0, slots - limbs.shape[2]))
    return torch.cat([body[:, None], head[:, None], limbs], dim=1)


def _length(vectors: Tensor) -> Tensor:
    """Lengths (..., 1) of vectors (..., 2), never quite 0. Written out: norm() rounds unlike numpy's."""
    return vectors.square().sum(dim=-1, keepdim=True).sqrt().clamp(min=1e-12)
