"""Pseudo labels for H_S: for each map, maps of other people in other poses who wear the same kind of clothes.

Every map is cut once into part-aligned patches, as one-hot vectors whose scalar product counts agreeing points.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.joints import HEAD_JOINTS, Joint, known_joints
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.parts import LIMBS, torso_lengths
from pgen.data.dataset import PersonDataset
from pgen.pseudo_labels.match_rules import MatchRules
from pgen.pseudo_labels.part_patches import sample_labels, spread_points

#: Points of the torso's patch (across, down) and how far it reaches beyond the shoulders and hips, in torso lengths.
_TORSO_POINTS, _TORSO_ACROSS, _TORSO_DOWN = (10, 20), (-0.42, 0.42), (-0.25, 1.5)
_HEAD_POINTS, _LIMB_POINTS = (10, 12), (5, 10)
_LIMB_HALF_WIDTH = 0.16  # torso lengths

#: Weight of one point of each part: a limb counts as much as its share of what distinguishes garments.
_TORSO_WEIGHT, _HEAD_WEIGHT, _LIMB_WEIGHT = 1.0, 0.75, 2.5

#: So many maps at least are compared, however little alike the clothes, for matches of every kind to be among them.
_LEAST_ALIKE = 64

#: Joints so far apart on average, in torso lengths, make a clearly other pose.
_MOVED = 0.5

#: A person seen from the front or the back shows shoulders at least this far apart, in torso lengths.
_FACING = 0.3


def find_facing_directions(poses: Tensor) -> Tensor:
    """0 front, 1 back, 2 side: long (N,) from poses (N, 18, 2)."""
    spread = (poses[:, Joint.L_SHOULDER, 0] - poses[:, Joint.R_SHOULDER, 0]) / torso_lengths(poses).clamp_min(1e-6)
    return torch.where(spread > _FACING, 0, torch.where(spread < -_FACING, 1, 2))


def place_canonical_points(poses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where each map is looked at: (x, y) in pixels (N, P, 2), whether known (N, P), and weights (P,).

    ``poses`` (N, 18, 2) have both shoulders and hips.
    """
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0)
    length = torso_lengths(poses)[:, None, None]
    shoulders = (joints[:, Joint.R_SHOULDER] + joints[:, Joint.L_SHOULDER]) / 2
    hips = (joints[:, Joint.R_HIP] + joints[:, Joint.L_HIP]) / 2
    down = F.normalize(hips - shoulders, dim=1)
    # From the person's right to left; sideways people keep the side of their shoulders' order.
    right_to_left = torch.stack([down[:, 1], -down[:, 0]], 1)
    spread = ((joints[:, Joint.L_SHOULDER] - joints[:, Joint.R_SHOULDER]) * right_to_left).sum(1)
    across = right_to_left * torch.where(spread < 0, -1.0, 1.0)[:, None]

    torso = _lay_lattice(
        shoulders, across * length[:, 0], down * length[:, 0], _TORSO_POINTS, _TORSO_ACROSS, _TORSO_DOWN
    )
    head_there = there[:, list(HEAD_JOINTS)]
    head_center = joints[:, list(HEAD_JOINTS)].sum(1) / head_there.sum(1).clamp_min(1)[:, None]
    half = 0.45 * length[:, 0]
    head = _lay_lattice(head_center, across * half, down * half, _HEAD_POINTS)
    starts, ends = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    along = joints[:, ends] - joints[:, starts]
    normal = F.normalize(torch.stack([-along[..., 1], along[..., 0]], -1), dim=-1)
    limbs = _lay_lattice(joints[:, starts], normal * _LIMB_HALF_WIDTH * length, along, _LIMB_POINTS, down=(0.0, 1.15))
    sizes = torch.tensor([torso.shape[1], head.shape[1], *len(LIMBS) * [limbs.shape[2]]])
    torso_there = torch.ones(len(poses), 1, dtype=torch.bool)
    parts_there = torch.cat([torso_there, head_there.any(1, keepdim=True), there[:, starts] & there[:, ends]], 1)
    weights = torch.tensor([_TORSO_WEIGHT, _HEAD_WEIGHT, *len(LIMBS) * [_LIMB_WEIGHT]])
    points = torch.cat([torso, head, limbs.flatten(1, 2)], 1)
    return points, parts_there.repeat_interleave(sizes, 1), weights.repeat_interleave(sizes)


def _lay_lattice(
    origin: Tensor,
    u: Tensor,
    v: Tensor,
    points: tuple[int, int],
    across: tuple[float, float] = (-1.0, 1.0),
    down: tuple[float, float] = (-1.0, 1.0),
) -> Tensor:
    """Points (…, P, 2) evenly over ``origin`` plus ``across`` times ``u`` plus ``down`` times ``v``, (…, 2) each."""
    us, vs = spread_points(points[0], *across), spread_points(points[1], *down)
    spots = us[None, :, None] * u[..., None, None, :] + vs[:, None, None] * v[..., None, None, :]
    return (origin[..., None, None, :] + spots).flatten(-3, -2)


def _cut_patches(sampler: PersonDataset) -> tuple[Tensor, Tensor, Tensor]:
    """Label at every canonical point (N, P), −1 where not known; weights (P,); which are the head's (P,)."""
    points, there, weights = place_canonical_points(sampler.poses)
    labels = sample_labels(sampler.labels, points.round(), there)
    is_head = weights == _HEAD_WEIGHT
    # An arm in front of the torso hides what is worn there, and where the arms are is no matter of clothing.
    across_torso = torch.arange(len(weights)) < _TORSO_POINTS[0] * _TORSO_POINTS[1]
    arm = (labels == Label.L_ARM) | (labels == Label.R_ARM)
    return torch.where(arm & across_torso, -1, labels), weights, is_head


def find_matches(
    sampler: PersonDataset,
    nearest: int = 4,
    turned: int = 2,
    seed: int = 0,
    same_clothes: float | None = None,
    block: int = 512,
) -> NDArray[np.int64]:
    """Pseudo labels of every view of ``sampler``: indices (N, nearest + turned) into it.

    Never the same person, nor nearly the same pose (`MatchRules`). Each of the ``nearest`` is the best of a random half
    of the data, for variety, and every second one is in a clearly other pose; each of the ``turned`` is the best among
    those seen from another side, where the head, which looks different from there, does not count. Where nobody is in
    such a pose or seen from such a side, the nearest of all is taken. ``same_clothes`` is as in `find_nearest_maps`.
    Raises `InputError` if a view has nobody else in another pose.
    """
    labels, weights, is_head = _cut_patches(sampler)
    count = len(labels)
    one_hot = F.one_hot(labels.clamp_min(0).long(), LABEL_COUNT).bool() & (labels >= 0)[..., None]
    patches = one_hot.flatten(1).float()
    shown = (labels >= 0).float()
    rules = MatchRules(sampler.labels, sampler.poses, sampler.persons, sampler.names, same_clothes, _LEAST_ALIKE)
    side = find_facing_directions(sampler.poses)
    generator = torch.Generator().manual_seed(seed)
    halves = torch.rand(nearest + turned, count, generator=generator) < 0.5

    def measure_distance(rows: slice, weights: Tensor) -> Tensor:
        """Share of disagreeing points among those that both maps show, plus a penalty for showing little in common."""
        agreeing = (patches[rows] * weights.repeat_interleave(LABEL_COUNT)) @ patches.T
        common = ((shown[rows] * weights) @ shown.T).clamp_min(1e-6)
        return (1 - agreeing / common) + 0.3 * (1 - common / weights.sum())

    result = torch.empty(count, nearest + turned, dtype=torch.long)
    for start in range(0, count, block):
        rows = slice(start, min(start + block, count))
        allowed, apart = rules.permit(rows)
        distance = measure_distance(rows, weights).masked_fill_(~allowed, torch.inf)
        further = distance.masked_fill(apart < _MOVED, torch.inf)
        for k in range(nearest):
            result[rows, k] = _choose_best(halves[k], *((further, distance) if k % 2 else (distance,)))
        if turned:
            aside = measure_distance(rows, torch.where(is_head, 0.0, weights))
            aside.masked_fill_(~allowed | (side[rows, None] == side[None]), torch.inf)
            for k in range(nearest, nearest + turned):
                result[rows, k] = _choose_best(halves[k], aside, distance)
    return result.numpy()


def _choose_best(half: Tensor, *distances: Tensor) -> Tensor:
    """Nearest column of each row by the first of ``distances`` that allows any, and within ``half`` if it can be."""
    result = distances[-1].argmin(1)
    for distance in reversed(distances):
        for allowed in (distance, distance.masked_fill(~half[None], torch.inf)):
            value, at = allowed.min(1)
            result = torch.where(value.isfinite(), at, result)
    return result
