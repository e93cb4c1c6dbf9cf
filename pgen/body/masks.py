"""Silhouettes from joints alone, of batches of poses: SPT's pose mask, the field mask of scores, and a wider one.

The pose mask, which SPT trains with, draws limbs of one thickness, and leaves out half of the figure. The field mask is
that of published scores: its limbs are as many pixels thick in every frame. In the body mask every width grows with
the torso: about the pixels that a clothed person covers. Its shapes and numbers are pgen's own: on synthetic people it
holds some 93 % of the figure and 77 % of it is figure (the pose mask: 45 % and 99 %).
"""

from __future__ import annotations

from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.joints import ARMS, BONES, HEAD_JOINTS, LEGS, TORSO_JOINTS, Joint, fill_missing
from pgen.body.limb_fields import LEG_BONE
from pgen.body.parts import torso_lengths
from pgen.body.raster import RIM, capsule_spans, convex_spans, fill_spans, hull_spans

#: Half the thickness of a limb: of the pose mask in pixels of a 256-pixel frame, of the field mask in those of any
#: frame; and the side of the square with which both are closed, in pixels of any frame.
RADIUS = 4.0
CLOSING = 5

#: Pairs of joints that the field mask joins: bones, and with them the outlines of torso and head.
FIELD_BONES: tuple[tuple[Joint, Joint], ...] = (
    *BONES,
    (Joint.R_SHOULDER, Joint.R_HIP),
    (Joint.L_SHOULDER, Joint.L_HIP),
    (Joint.R_HIP, Joint.L_HIP),
    (Joint.NECK, Joint.R_EAR),
    (Joint.NECK, Joint.L_EAR),
    (Joint.R_EAR, Joint.L_EAR),
)

#: Of the body mask, all in torso lengths: half the width of a limb, the radius of the head, half the width that
#: shoulders and hips have at least (seen from the side they are a line), and what is added to all for cloth and hair.
LIMB = 0.11
HEAD = 0.32
HALF_TORSO = 0.22
MARGIN = 0.06

#: How far forearms and calves are lengthened for hands and feet, as a share of their lengths.
HAND = 0.3
FOOT = 0.15


def pose_mask_radius(size: tuple[int, int]) -> float:
    """The radius in pixels that suits a frame of ``size`` (height, width)."""
    return RADIUS * max(size) / 256


def pose_masks(poses: Tensor, size: tuple[int, int], radius: float = RADIUS) -> Tensor:
    """The silhouettes M_p of SPT: (B, 1, height, width) of 0 and 1, dtype of ``poses``.

    Every pixel within ``radius`` pixels of a bone between known joints, and the filled quadrilateral of shoulders and
    hips if all four are known (its convex hull: a twisted body is no thinner); then a 5×5 closing, for which nothing
    beyond the frame counts.

    Args:
        poses: (B, 18, 2) of (x, y) in the frame; NaN = missing.
        size: the frame's (height, width).
    """
    height, width = size
    joints, known = fill_missing(poses)
    starts, ends = [int(bone[0]) for bone in BONES], [int(bone[1]) for bone in BONES]
    bones = capsule_spans(joints[:, starts], joints[:, ends], radius + RIM, height)
    torso = hull_spans(joints[:, list(TORSO_JOINTS)], height)
    is_torso_known = known[:, list(TORSO_JOINTS)].all(dim=1, keepdim=True)
    left, right = (torch.cat([bone, body[:, None]], dim=1) for bone, body in zip(bones, torso, strict=True))
    is_known = torch.cat([known[:, starts] & known[:, ends], is_torso_known], dim=1)
    return _close(fill_spans(left, right, is_known, width), poses)


def field_masks(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """The masks M of mask-SSIM and mask-IS in published scores: (B, 1, height, width) of 0 and 1, dtype of ``poses``.

    In every frame a pixel is in it if it lies in the rectangle along one of `FIELD_BONES` between known joints, RADIUS
    pixels to either side, or less than RADIUS pixels from a known joint; then a 5×5 closing, for which nothing beyond
    the frame counts. The torso is not filled.

    Args:
        poses: (B, 18, 2) of (x, y) in the frame; NaN = missing.
        size: the (height, width) of the frame that is scored.
    """
    joints, known = fill_missing(poses)
    starts, ends = (list(joint) for joint in zip(*FIELD_BONES, strict=True))
    start, end = joints[:, starts], joints[:, ends]
    along = end - start
    length = along.square().sum(dim=-1, keepdim=True).sqrt()
    half = RADIUS * torch.stack([-along[..., 1], along[..., 0]], dim=-1) / length.clamp(min=1e-12)
    first, stop = convex_spans(torch.stack([start + half, start - half, end - half, end + half], dim=-2), size[0])
    left, right = capsule_spans(joints, joints, RADIUS - RIM, size[0])
    left, right = torch.cat([first.to(left), left], dim=1), torch.cat([stop.to(right) - 1, right], dim=1)
    bones_known = known[:, starts] & known[:, ends] & (length[..., 0] > 0)
    return _close(fill_spans(left, right, torch.cat([bones_known, known], dim=1), size[1]), poses)


def body_masks(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Body masks (B, 1, height, width) of poses (B, 18, 2), NaN = missing: 0 and 1, dtype of ``poses``.

    A pixel is in the mask if it lies within LIMB + MARGIN torso lengths of a limb's bone or of the line from the neck
    to the middle of the known head joints, HEAD + MARGIN of that middle, or MARGIN of the hull of shoulders and hips,
    widened to HALF_TORSO. Missing knees and ankles are completed as by `limb_fields.complete_legs`: half-length photos
    show thighs too. Arms and heads with a missing joint are left out; without shoulders and hips the mask is empty.
    """
    joints, known = fill_missing(poses)
    unit = torso_lengths(poses).double()[:, None]
    corners, spine = _widen_torso(joints, unit)

    legs, legs_known = _complete_legs(joints, known, unit, spine)
    shoulders, elbows, wrists = joints[:, list(ARMS)].unbind(dim=2)
    fingers = wrists + HAND * (wrists - elbows)
    arms = torch.stack([shoulders, elbows, elbows, fingers], dim=2).reshape(len(poses), 4, 2, 2)
    arms_known = known[:, [[arm[:2], arm[1:]] for arm in ARMS]].all(dim=-1).flatten(1)
    head = known[:, list(HEAD_JOINTS)]
    middle = joints[:, list(HEAD_JOINTS)].sum(dim=1) / head.sum(dim=1, keepdim=True).clamp(min=1)
    head_known = head.any(dim=1, keepdim=True)
    neck = torch.stack([joints[:, Joint.NECK], middle], dim=1)
    edges = corners[:, list(combinations(range(4), 2))]

    bones = torch.cat([legs, arms, neck[:, None], middle[:, None, None].expand(-1, 1, 2, -1), edges], dim=1)
    radii = [LIMB] * 9 + [HEAD] + [0.0] * 6
    bones_known = torch.cat(
        [legs_known, arms_known, head_known & known[:, [Joint.NECK]], head_known, head_known.new_ones(len(poses), 6)],
        dim=1,
    )
    reach = unit * (torch.tensor(radii).to(joints) + MARGIN) + RIM
    left, right = capsule_spans(bones[:, :, 0], bones[:, :, 1], reach, size[0])
    body_left, body_right = hull_spans(corners, size[0])
    shapes_known = torch.cat([bones_known, bones_known.new_ones(len(poses), 1)], dim=1) & (unit > 0)
    left, right = torch.cat([left, body_left[:, None]], dim=1), torch.cat([right, body_right[:, None]], dim=1)
    return fill_spans(left, right, shapes_known, size[1])[:, None].to(poses.dtype)


def dilate(masks: Tensor, reach: int) -> Tensor:
    """The largest of the values up to ``reach`` pixels away in each direction, of float (B, C, H, W)."""
    return _dilate_along(_dilate_along(masks, reach, 2), reach, 3)


def _dilate_along(values: Tensor, reach: int, axis: int) -> Tensor:
    """The same along one axis, by windows that double in length: the work grows with the logarithm of ``reach``."""
    window = 2 * reach + 1
    padding = (0, 0, reach, reach) if axis == 2 else (reach, reach)
    largest, seen = F.pad(values, padding, value=-torch.inf), 1
    while seen < window:
        step = min(seen, window - seen)
        size = largest.shape[axis] - step
        largest = torch.maximum(largest.narrow(axis, 0, size), largest.narrow(axis, step, size))
        seen += step
    return largest


def _close(mask: Tensor, like: Tensor) -> Tensor:
    """The closing of ``mask`` (B, H, W) with a square: (B, 1, H, W), of the type of ``like``."""
    return -dilate(-dilate(mask[:, None].to(like.dtype), CLOSING // 2), CLOSING // 2)


def _widen_torso(joints: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
    """Corners (B, 4, 2) of the torso, as wide as it has to be, and the unit vector (B, 2) of its spine, or down."""
    shoulders, hips = joints[:, list(TORSO_JOINTS)[:2]], joints[:, list(TORSO_JOINTS)[2:]]
    down = hips.mean(dim=1) - shoulders.mean(dim=1)
    length = down.square().sum(dim=1, keepdim=True).sqrt()
    spine = torch.where(length > 1e-6, down / length.clamp(min=1e-12), torch.tensor([0.0, 1.0]).to(joints))
    across = torch.stack([-spine[:, 1], spine[:, 0]], dim=1) * HALF_TORSO * unit
    corners = []
    for ends in (shoulders, hips):
        half = (ends[:, 1] - ends[:, 0]) / 2
        narrow = half.square().sum(dim=1, keepdim=True).sqrt() < HALF_TORSO * unit
        half = torch.where(narrow, across, half)
        corners += [ends.mean(dim=1) - half, ends.mean(dim=1) + half]
    return torch.stack(corners, dim=1), spine


def _complete_legs(joints: Tensor, known: Tensor, unit: Tensor, spine: Tensor) -> tuple[Tensor, Tensor]:
    """Bones (B, 4, 2, 2) of both legs, as `limb_fields.complete_legs` completes them, calves reaching to the toes."""
    hips, knees, ankles = (list(joint) for joint in zip(*LEGS, strict=True))
    thighs = joints[:, knees] - joints[:, hips]
    knee_known = known[:, knees, None]
    other = torch.where(knee_known.flip(1), thighs.flip(1), (LEG_BONE * unit * spine)[:, None])
    thighs = torch.where(knee_known, thighs, other)
    knee = joints[:, hips] + thighs
    ankle = torch.where(known[:, ankles, None], joints[:, ankles], knee + thighs)
    toes = ankle + FOOT * (ankle - knee)
    upper, lower = torch.stack([joints[:, hips], knee], dim=2), torch.stack([knee, toes], dim=2)
    return torch.cat([upper, lower], dim=1), known[:, hips * 2]
