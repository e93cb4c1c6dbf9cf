"""Masks of the whole body's width, from joints alone: about the pixels that a clothed person covers.

The pose mask of SPT (``posemask``) draws limbs of one thickness, and leaves out half of the figure. Here every width
grows with the torso. The shapes and numbers are pgen's own: on synthetic people the mask holds some 93 % of the figure
and 77 % of the mask is figure (the pose mask: 45 % and 99 %).
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from pgen.body.batched import known_joints, torso_lengths
from pgen.body.joints import HEAD_JOINTS, TORSO_JOINTS, Joint
from pgen.body.limb_fields import ARMS, LEG_BONE, LEGS
from pgen.body.raster import RIM, capsule_spans, fill_spans, hull_spans

#: All in torso lengths: half the width of a limb, the radius of the head, half the width that shoulders and hips have
#: at least (seen from the side they are a line), and what is added to all of it for cloth and hair.
LIMB = 0.11
HEAD = 0.32
HALF_TORSO = 0.22
MARGIN = 0.06

#: How far forearms and calves are lengthened for hands and feet, as a share of their lengths.
HAND = 0.3
FOOT = 0.15


def body_masks(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Body masks (B, 1, height, width) of poses (B, 18, 2), NaN = missing: 0 and 1, dtype of ``poses``.

    A pixel is in the mask if it lies within LIMB + MARGIN torso lengths of a limb's bone or of the line from the neck
    to the middle of the known head joints, HEAD + MARGIN of that middle, or MARGIN of the hull of shoulders and hips,
    widened to HALF_TORSO. A knee that is missing is taken to lie below its hip, in the direction of the other thigh or
    of the spine, and a missing ankle below its knee: half-length photos show thighs too. Arms and heads with a missing
    joint are left out. The mask is empty unless both shoulders and both hips are known; `torso.complete_torso`
    completes them.
    """
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0).to(torch.float64)
    unit = torso_lengths(poses).to(torch.float64)[:, None]
    corners, spine = _torso(joints, unit)

    legs, legs_there = _legs(joints, there, unit, spine)
    arms = [_arm(joints, chain) for chain in ARMS]
    arms_there = there[:, [[arm[:2], arm[1:]] for arm in ARMS]].all(dim=-1).flatten(1)
    head = there[:, list(HEAD_JOINTS)]
    middle = joints[:, list(HEAD_JOINTS)].sum(dim=1) / head.sum(dim=1, keepdim=True).clamp(min=1)
    head_there = head.any(dim=1, keepdim=True)
    neck = torch.stack([joints[:, Joint.NECK], middle], dim=1)
    edges = corners[:, list(combinations(range(4), 2))]

    bones = torch.cat([legs, *arms, neck[:, None], middle[:, None, None].expand(-1, 1, 2, -1), edges], dim=1)
    radii = [LIMB] * 9 + [HEAD] + [0.0] * 6
    bones_there = torch.cat(
        [legs_there, arms_there, head_there & there[:, [Joint.NECK]], head_there, head_there.new_ones(len(poses), 6)],
        dim=1,
    )
    reach = unit * (torch.tensor(radii).to(joints) + MARGIN) + RIM
    left, right = capsule_spans(bones[:, :, 0], bones[:, :, 1], reach, size[0])
    body_left, body_right = hull_spans(corners, size[0])
    shapes_there = torch.cat([bones_there, bones_there.new_ones(len(poses), 1)], dim=1) & (unit > 0)
    left, right = torch.cat([left, body_left[:, None]], dim=1), torch.cat([right, body_right[:, None]], dim=1)
    return fill_spans(left, right, shapes_there, size[1])[:, None].to(poses.dtype)


def _torso(joints: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
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


def _legs(joints: Tensor, there: Tensor, unit: Tensor, spine: Tensor) -> tuple[Tensor, Tensor]:
    """Bones (B, 4, 2, 2) of both legs, as `limb_fields.leg_chains` completes them, calves reaching to the toes."""
    hips, knees, ankles = (list(joint) for joint in zip(*LEGS, strict=True))
    thighs = joints[:, knees] - joints[:, hips]
    knee_there = there[:, knees, None]
    other = torch.where(knee_there.flip(1), thighs.flip(1), (LEG_BONE * unit * spine)[:, None])
    thighs = torch.where(knee_there, thighs, other)
    knee = joints[:, hips] + thighs
    ankle = torch.where(there[:, ankles, None], joints[:, ankles], knee + thighs)
    toes = ankle + FOOT * (ankle - knee)
    upper, lower = torch.stack([joints[:, hips], knee], dim=2), torch.stack([knee, toes], dim=2)
    return torch.cat([upper, lower], dim=1), there[:, hips * 2]


def _arm(joints: Tensor, chain: tuple[Joint, Joint, Joint]) -> Tensor:
    """Both bones (B, 2, 2, 2) of an arm, the forearm reaching to the fingers."""
    shoulder, elbow, wrist = joints[:, list(chain)].unbind(dim=1)
    fingers = wrist + HAND * (wrist - elbow)
    return torch.stack([torch.stack([shoulder, elbow], dim=1), torch.stack([elbow, fingers], dim=1)], dim=1)
