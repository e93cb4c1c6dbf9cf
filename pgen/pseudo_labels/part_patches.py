"""Maps cut into part-aligned canonical patches, whose scalar products estimate the distance of pseudo labels.

Each part has coordinates of its own: the square or rectangle that its mask fills, for the whole body the hips and
shoulders. Looked at there, a pixel of the target and the one that the part's affine carries to it lie in nearly the
same place, so that what `part_distance` counts pixel by pixel becomes a product of two vectors, each of one map alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.affine import fit_affines
from pgen.body.joints import HEAD_JOINTS, known_joints
from pgen.body.labels import LABEL_COUNT
from pgen.body.parts import BODY_CORNERS, EXTEND, HEAD_HALF_SIDE, LIMB_HALF_WIDTH, LIMBS, MASK_EXTEND, torso_lengths
from pgen.runtime.threads import thread_pool

#: Points across and down of each part's lattice.
_BODY_POINTS, _HEAD_POINTS, _LIMB_POINTS = (40, 40), (12, 12), (5, 12)
#: The body's lattice in widths and lengths of the trunk, from its middle and from the shoulders. The further out, the
#: wider apart across, because a person seen from the side is narrow: at u of −1 to 1, u·near + u³·far.
_BODY_NEAR, _BODY_FAR, _BODY_DOWN = 1.5, 5.5, (-1.5, 4.0)
_BODY = ((-0.5, 1.0), (0.5, 1.0), (0.5, 0.0), (-0.5, 0.0))  # hips and shoulders in these coordinates

#: How many numbers a map is reduced to, and from how many maps it is learned which.
RANK, _LEARNED_FROM = 256, 1536
_BLOCK = 128


#: source (N, R), target (N, R), constant (N,): d from map i to map j is about source[i] @ target[j] + constant[j].
Estimate = tuple[Tensor, Tensor, Tensor]


def estimate_distances(labels: Tensor, poses: Tensor) -> Estimate:
    """The estimate for maps (N, H, W), uint8, with their poses (N, 18, 2), shoulders and hips known.

    A pixel of the target costs 1, 1 more if the source shows a pixel there, and 2 less where the labels agree: with
    one-hot labels s and t that is t·(1 − 2·δ)·s, weighted by how many pixels of the target a point stands for. The
    vectors, some 22,000 long, are reduced to the principal components of ``_LEARNED_FROM`` maps.
    """
    with thread_pool() as pool:
        count, height, width = labels.shape
        learned = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:_LEARNED_FROM]
        some, areas = _cut_patches(labels[learned], poses[learned])
        weights = areas.mean(0).clamp_min(1e-6).sqrt().repeat_interleave(LABEL_COUNT)
        vectors = _to_one_hot(some).flatten(1) * weights
        values, directions = torch.linalg.eigh(vectors @ vectors.T)
        kept = slice(max(0, len(learned) - RANK), None)
        basis = vectors.T @ (directions[:, kept] / values[kept].clamp_min(1e-6 * float(values[-1])).sqrt())
        del vectors
        source = torch.empty(count, basis.shape[1])
        target, constant = torch.empty_like(source), torch.empty(count)
        body = _BODY_POINTS[0] * _BODY_POINTS[1]

        def reduce(rows: Tensor) -> None:
            found, areas = _cut_patches(labels[rows], poses[rows])
            one_hot = _to_one_hot(found)
            shown = (found >= 0).float()
            source[rows] = (one_hot.flatten(1) * weights) @ basis
            difference = (shown[..., None] - 2 * one_hot).mul_(areas[..., None])
            target[rows] = difference.flatten(1).div_(weights) @ basis
            # The whole body's part is the whole frame, of which the lattice may miss some.
            constant[rows] = height * width + (shown * areas)[:, body:].sum(1)

        list(pool.map(reduce, torch.arange(count).split(_BLOCK)))
    return source, target, constant


def _to_one_hot(labels: Tensor) -> Tensor:
    return (labels[..., None] == torch.arange(LABEL_COUNT, dtype=torch.int8)).float()


def _cut_patches(labels: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
    """Labels at all canonical points (B, P), int8, −1 where there is none; how many pixels each stands for (B, P)."""
    found, areas = [], []
    for frame, (points, cells) in zip(_fit_canonical_frames(poses).unbind(1), _make_lattices(), strict=True):
        spots = points @ frame[:, :, :2].mT + frame[:, None, :, 2]
        found.append(sample_labels(labels, spots.add_(0.5).floor_()))
        size = frame[:, 0, 0] * frame[:, 1, 1] - frame[:, 0, 1] * frame[:, 1, 0]
        areas.append(size.abs()[:, None] * cells)
    return torch.cat(found, 1), torch.cat(areas, 1)


def _make_lattices() -> list[tuple[Tensor, Tensor]]:
    """Points (P, 2) of each part in its own coordinates, and the area that each stands for (P,)."""
    body, cell = _make_lattice(_BODY_POINTS, (-1, 1), _BODY_DOWN)
    u = body[:, 0].clone()
    body[:, 0] = _BODY_NEAR * u + _BODY_FAR * u**3
    stretched = cell * (_BODY_NEAR + 3 * _BODY_FAR * u**2)
    return [(body, stretched), _make_lattice(_HEAD_POINTS, (-1, 1), (-1, 1))] + len(LIMBS) * [
        _make_lattice(_LIMB_POINTS, (-1, 1), (0, 1))
    ]


def sample_labels(labels: Tensor, points: Tensor, is_known: Tensor | None = None) -> Tensor:
    """What maps (N, H, W) say at points (N, …, 2), whole (x, y): int8 (N, …), −1 outside and where not ``is_known``."""
    height, width = labels.shape[1:]
    x, y = points.long().unbind(-1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if is_known is not None:
        inside &= is_known
    at = y.clamp(0, height - 1).mul_(width).add_(x.clamp(0, width - 1))
    found = labels.flatten(1).gather(1, at.flatten(1)).view(at.shape)
    return torch.where(inside, found.to(torch.int8), -1)


def spread_points(count: int, low: float, high: float) -> Tensor:
    """The middles (``count``,) of equal pieces from ``low`` to ``high``."""
    return low + (torch.arange(count) + 0.5) / count * (high - low)


def _make_lattice(
    points: tuple[int, int], across: tuple[float, float], down: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    cell = (across[1] - across[0]) / points[0] * (down[1] - down[0]) / points[1]
    spots = torch.cartesian_prod(spread_points(points[0], *across), spread_points(points[1], *down))
    return spots, torch.full((len(spots),), cell)


def _fit_canonical_frames(poses: Tensor) -> Tensor:
    """The affines (B, 10, 2, 3) from each part's coordinates to pixels; of unknown parts, to one place far outside."""
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0)
    body, _ = fit_affines(
        torch.tensor(_BODY).expand(len(poses), -1, -1), joints[:, list(BODY_CORNERS)], torch.ones(len(poses), 4)
    )
    torso = torso_lengths(poses)
    head_there = there[:, list(HEAD_JOINTS)].sum(1)
    centre = (joints[:, list(HEAD_JOINTS)].sum(1) / head_there.clamp_min(1)[:, None]).trunc()
    half = (HEAD_HALF_SIDE * torso).trunc()[:, None, None] * torch.eye(2)
    head = torch.cat([half, centre[..., None]], 2)
    starts, ends = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    share = torch.tensor([[MASK_EXTEND if limb[2] else EXTEND] for limb in LIMBS])
    start = joints[:, starts] + EXTEND * (joints[:, starts] - joints[:, ends])
    end = joints[:, ends] + share * (joints[:, ends] - start)
    along = end - start
    normal = torch.nn.functional.normalize(torch.stack([-along[..., 1], along[..., 0]], -1), dim=-1)
    limbs = torch.stack([LIMB_HALF_WIDTH * torso[:, None, None] * normal, along, start], -1)
    limbs_there = there[:, starts] & there[:, ends]
    parts_there = torch.cat([torch.ones(len(poses), 1, dtype=torch.bool), head_there[:, None] > 0, limbs_there], 1)
    nowhere = torch.tensor([[0.0, 0.0, -1000.0], [0.0, 0.0, -1000.0]])
    frames = torch.cat([body.to(poses.dtype)[:, None], head[:, None], limbs], 1)
    return torch.where(parts_there[..., None, None], frames, nowhere)
