"""The ten body parts of batches of poses: their masks, and the affines that carry each from one pose to another.

The parts and constants are those of deformable skip connections (Siarohin et al., *Deformable GANs for pose-based human
image generation*, CVPR 2018), which SPT uses. Poses are (B, 18, 2) of (x, y) in pixels, NaN = missing; sizes are
(height, width). Nothing loops over samples or parts, and no NaN comes out, but of `part_corners`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.affine import NOWHERE, fit_affines
from pgen.body.joints import ARMS, HEAD_JOINTS, LEGS, TORSO_JOINTS, Joint, fill_missing
from pgen.body.raster import convex_spans

#: The limbs as (from, to, is it a calf or forearm); right and left alternate.
LIMBS: tuple[tuple[Joint, Joint, bool], ...] = tuple(
    (limb[start], limb[start + 1], start == 1) for limbs in (LEGS, ARMS) for start in (0, 1) for limb in limbs
)
#: The whole body and the head come first, then the limbs.
PART_COUNT = 2 + len(LIMBS)

#: ``limbs[MIRRORED_LIMBS]`` swaps right and left limbs.
MIRRORED_LIMBS: tuple[int, ...] = (1, 0, 3, 2, 5, 4, 7, 6)

#: How far limbs are lengthened at either end, and calves and forearms at their far end.
EXTEND = 0.1
MASK_EXTEND = 0.5
TRANSFORM_EXTEND = 0.3
#: Half the width of a limb, and half the side of the head square, in torso lengths.
LIMB_HALF_WIDTH = 0.2
HEAD_HALF_SIDE = 0.4

#: Corners that carry the whole body, and the shoulders that steady the head.
BODY_CORNERS: tuple[Joint, ...] = (Joint.R_HIP, Joint.L_HIP, Joint.L_SHOULDER, Joint.R_SHOULDER)
SHOULDERS: tuple[Joint, ...] = (Joint.R_SHOULDER, Joint.L_SHOULDER)

_STARTS = [int(limb[0]) for limb in LIMBS]
_ENDS = [int(limb[1]) for limb in LIMBS]


def torso_lengths(poses: Tensor) -> Tensor:
    """Root mean square of both shoulder–hip distances, in pixels: (B,), dtype of ``poses``; 0 unless all are known.

    Limbs of such a pose count as unknown and its head has no square. `torso.complete_torso` fills the gaps.
    """
    return _measure_torsos(*fill_missing(poses)).to(poses.dtype)


def part_masks(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Where each part is in a frame of ``size``: bool (B, 10, height, width).

    The whole body's mask is all ones, limbs have rectangles, the head a square about the whole-numbered mean of its
    known joints, right and bottom edge excluded; a part with an unknown joint is empty.
    """
    height, width = size
    joints, known = fill_missing(poses)
    rows = torch.arange(height, device=poses.device)

    # Every part, rectangle or square, is at most one span of columns in each row.
    quads, limbs_known = _build_limbs(joints, known, MASK_EXTEND)
    first, stop = convex_spans(quads, height)
    box = _find_head_boxes(joints, known, size)[:, :, None]
    in_head = (rows >= box[:, 1]) & (rows < box[:, 3])
    body = torch.full((len(poses), 1, height), width, device=poses.device)
    firsts = torch.cat([torch.zeros_like(body), box[:, :1].expand_as(body), first], dim=1)
    stops = torch.cat([body, (box[:, 2] * in_head)[:, None], stop * limbs_known[..., None]], dim=1)
    columns = torch.arange(width, device=poses.device, dtype=torch.int32)
    inside = columns >= firsts[..., None].to(torch.int32)
    return inside.logical_and_(columns < stops[..., None].to(torch.int32))


def part_corners(poses: Tensor, size: tuple[int, int], extend: float = TRANSFORM_EXTEND) -> Tensor:
    """Corners of the ten parts in a frame of ``size``: (B, 10, 4, 2), (x, y) in pixels, dtype of ``poses``.

    Of the body its hips and shoulders (BODY_CORNERS), of the head its box, clockwise from the left top, of limbs the
    rectangles that `part_affines` carries to one another. NaN where a part's joints are missing. ``extend`` is the
    share by which calves and forearms are lengthened beyond ankle and wrist, to cover feet and hands.
    """
    joints, known = fill_missing(poses)
    limbs, limbs_known = _build_limbs(joints, known, extend)
    body = list(BODY_CORNERS)
    box = _find_head_boxes(joints, known, size)
    head = box[:, [0, 1, 2, 1, 2, 3, 0, 3]].unflatten(1, (4, 2)).to(joints.dtype)
    corners = torch.cat([joints[:, None, body], head[:, None], limbs], dim=1)
    is_known = torch.cat([known[:, body].all(dim=1, keepdim=True), (box[:, 2:3] > box[:, 0:1]), limbs_known], dim=1)
    return torch.where(is_known[..., None, None], corners, torch.nan).to(poses.dtype)


def part_affines(source: Tensor, target: Tensor) -> Tensor:
    """For each part the affine from pixels of ``target`` to pixels of ``source``, both (B, 18, 2).

    This is the direction in which an image is warped: where in the source to look for a pixel of the target. A limb
    missing in the source borrows the source's mirrored limb.

    Returns:
        (B, 10, 2, 3) on (x, y, 1), dtype of ``source``; NOWHERE for parts that cannot be found.
    """
    image_joints, image_known = fill_missing(source)
    joints, known = fill_missing(target)
    both = image_known & known

    limbs, limbs_known = _build_limbs(joints, known, TRANSFORM_EXTEND)
    images, images_known = _build_limbs(image_joints, image_known, TRANSFORM_EXTEND)
    mirrored = list(MIRRORED_LIMBS)
    images = torch.where(images_known[..., None, None], images, images[:, mirrored])
    limb_weights = (limbs_known & (images_known | images_known[:, mirrored]))[..., None, None].expand(-1, -1, 4, -1)

    body = list(BODY_CORNERS)
    head = [*HEAD_JOINTS, *SHOULDERS]
    body_weights = both[:, body].all(dim=1, keepdim=True).expand(-1, len(body))
    head_weights = both[:, head] & both[:, list(SHOULDERS)].all(dim=1, keepdim=True)
    head_weights = head_weights & both[:, list(HEAD_JOINTS)].any(dim=1, keepdim=True)

    # All parts in one system: as many point slots as the head may fill, unused ones with weight 0.
    fitted, _ = fit_affines(
        _stack_points(joints[:, body], joints[:, head], limbs),
        _stack_points(image_joints[:, body], image_joints[:, head], images),
        _stack_points(body_weights[..., None], head_weights[..., None], limb_weights)[..., 0],
    )
    return fitted.to(source.dtype)


def face_affines(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Affines from a frame of ``size`` to each head box, which crop the face: (B, 2, 3), dtype of ``poses``.

    Corner to corner: (0, 0) to the box's (left, top), (width, height) to its (right, bottom). NOWHERE without a box.
    """
    height, width = size
    joints, known = fill_missing(poses)
    left, top, right, bottom = _find_head_boxes(joints, known, size).to(poses.dtype).unbind(dim=1)
    zero = torch.zeros_like(left)
    affines = torch.stack([(right - left) / width, zero, left, zero, (bottom - top) / height, top], dim=1)
    nowhere = torch.tensor(NOWHERE, dtype=poses.dtype).to(poses.device)
    return torch.where((right > left)[:, None, None], affines.unflatten(1, (2, 3)), nowhere)


def crop_faces(images: Tensor, poses: Tensor, side: int) -> Tensor:
    """The head squares of ``images`` (B, C, H, W) with ``poses`` (B, 18, 2), enlarged to (B, C, side, side).

    Zeros where no head joint is known.
    """
    height, width = images.shape[-2:]
    affines = face_affines(poses, (height, width)).to(images.dtype)
    # The frame's corners → the head's corners, in grid_sample's coordinates (align_corners=False): from −1 to 1.
    theta = affines.clone()
    theta[:, 0, 1] = affines[:, 0, 1] * height / width
    theta[:, 1, 0] = affines[:, 1, 0] * width / height
    for row, extent in ((0, width), (1, height)):
        a, b, c = affines[:, row].unbind(1)
        theta[:, row, 2] = (a * width + b * height + 2 * c) / extent - 1
    with torch.autocast(images.device.type, enabled=False):  # in bf16 the grid would be a quarter of a pixel off
        grid = F.affine_grid(theta, [len(images), images.shape[1], side, side], align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _measure_torsos(joints: Tensor, known: Tensor) -> Tensor:
    right_shoulder, left_shoulder, right_hip, left_hip = joints[:, list(TORSO_JOINTS)].unbind(dim=1)
    squares = (right_hip - right_shoulder).square().sum(-1) + (left_hip - left_shoulder).square().sum(-1)
    return (squares / 2).sqrt() * known[:, list(TORSO_JOINTS)].all(dim=1)


def _build_limbs(joints: Tensor, known: Tensor, extend: float) -> tuple[Tensor, Tensor]:
    """Limb rectangles (B, 8, 4, 2), finite though meaningless where unknown; which are known (B, 8)."""
    start, end = joints[:, _STARTS], joints[:, _ENDS]
    share = torch.tensor([[extend if limb[2] else EXTEND] for limb in LIMBS], dtype=joints.dtype)
    start = start + EXTEND * (start - end)
    end = end + share.to(joints.device) * (end - start)
    along = start - end
    normal = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    # Written out: norm() rounds unlike numpy's.
    normal = normal / normal.square().sum(dim=-1, keepdim=True).sqrt().clamp(min=1e-12)
    torso = _measure_torsos(joints, known)[:, None]
    half = LIMB_HALF_WIDTH * torso[..., None] * normal
    corners = torch.stack([start + half, start - half, end - half, end + half], dim=2)
    return corners, known[:, _STARTS] & known[:, _ENDS] & (torso > 0)


def _find_head_boxes(joints: Tensor, known: Tensor, size: tuple[int, int]) -> Tensor:
    """Head boxes (B, 4) as int64 left, top, right, bottom; all 0 where there is none."""
    head = list(HEAD_JOINTS)
    count = known[:, head].sum(dim=1)
    center = (joints[:, head].sum(dim=1) / count.clamp(min=1)[:, None]).trunc()
    half = (HEAD_HALF_SIDE * _measure_torsos(joints, known)).trunc()[:, None]
    limits = torch.tensor([size[1], size[0]], dtype=joints.dtype).to(joints.device)
    low, high = (center - half).clamp(min=0), torch.minimum(center + half, limits)
    is_known = (low < high).all(dim=1) & (count > 0)
    return (torch.cat([low, high], dim=1) * is_known[:, None]).to(torch.int64)


def _stack_points(body: Tensor, head: Tensor, limbs: Tensor) -> Tensor:
    """Points (..., 2) or weights (..., 1) of the ten parts in one tensor (B, 10, 7, ...); unused slots hold zeros."""
    slots = head.shape[1]
    body = F.pad(body, (0, 0, 0, slots - body.shape[1]))
    limbs = F.pad(limbs, (0, 0, 0, slots - limbs.shape[2]))
    return torch.cat([body[:, None], head[:, None], limbs], dim=1)
