"""How the parts of a body move from one pose to another: where in the photo each pixel of the result comes from.

Every part is carried by a map from the target to the source: the trunk by an affine, the head by a similarity, and
limbs along their bones, which only stretch between their joints, so that hands and feet are carried rigidly. Between
parts the maps go over into each other, so that cloth goes on over a knee or a shoulder without a seam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.affine import fit_affines
from pgen.body.joints import ARMS, HEAD_JOINTS, LEGS, Joint, known_joints, shows_face
from pgen.body.labels import Label
from pgen.body.limb_fields import FRONTAL, find_spine, torso_length
from pgen.inference.rendering.distances import measure_to_line, measure_to_quad
from pgen.inference.rendering.hanging import Cloth, carry_cloth
from pgen.inference.rendering.turned_faces import TurnedFace

#: Share of the other's width of shoulders from which on bodies show the same outlines.
_AS_WIDE = 0.75
#: Shoulders and hips are at least so far from their middle, in torso lengths: from the side they are a line.
_HALF_TORSO = 0.2
_TRUNK_ENDS = ((Joint.R_SHOULDER, Joint.L_SHOULDER), (Joint.R_HIP, Joint.L_HIP))
#: How far from its bone a part is all itself, in torso lengths; and how far from being so the trunk is everywhere: arms
#: are before it.
_RADII = {"head": 0.1, "arm": 0.08, "leg": 0.09}
_BEHIND = 0.04
#: How far from the bone of an arm its sleeve reaches towards the trunk, in torso lengths: beyond, the photo shows the
#: trunk, of which so small a share is taken.
_SLEEVE, _SQUEEZED = 0.09, 0.3
#: How sharply parts go over into each other: the distance that is added to all, in torso lengths, and the power.
_SOFT, _POWER = 0.03, 4
#: How far around its joints a trunk hides the arm beyond it, in torso lengths.
_FLESH = 0.18
#: Places in the photo that are farther apart, in torso lengths, are not mixed: one of them is taken.
_APART = 0.12
#: How steeply toes point down of a foot from the side.
_TOES = 0.25
#: How far above the shoulders hair begins at the latest, in torso lengths.
NAPE = 0.2

_TRUNK, _HEAD, _FACE = "trunk", "head", "face"
_LEFT_ARM, _RIGHT_ARM = ("l_upper_arm", "l_forearm"), ("r_upper_arm", "r_forearm")
_LEFT_LEG, _RIGHT_LEG = ("l_thigh", "l_shin"), ("r_thigh", "r_shin")
#: The parts of both arms.
ARM_PARTS = (*_LEFT_ARM, *_RIGHT_ARM)
#: Those of each leg, from the hip down, by the label of the leg.
LEG_PARTS: Mapping[Label, tuple[str, str]] = {Label.L_LEG: _LEFT_LEG, Label.R_LEG: _RIGHT_LEG}
_BELOW = (_TRUNK, *_LEFT_LEG, *_RIGHT_LEG)
#: Which parts carry what has a label, apart from what hangs over both legs.
_CARRIERS: Mapping[Label, tuple[str, ...]] = {
    Label.FACE: (_HEAD, _FACE),
    Label.HAIR: (_HEAD,),
    Label.UPPER: (_HEAD, *ARM_PARTS),
    Label.PANTS: _BELOW,
    Label.L_ARM: _LEFT_ARM,
    Label.R_ARM: _RIGHT_ARM,
    Label.L_LEG: _LEFT_LEG,
    Label.R_LEG: _RIGHT_LEG,
}
#: What hangs over both legs, and follows both at a time.
HANGING = (Label.UPPER, Label.SKIRT)


@dataclass(frozen=True)
class Part:
    """A part of the body in both poses."""

    line: Tensor  #: (2, 2), its bone in the target
    radius: float  #: how far from the bone it is all itself, pixels
    carry: Callable[[Tensor], Tensor]  #: (x, y) in the target, (..., 2) → in the source
    corners: Tensor | None = None  #: (4, 2), of the trunk in the target, in order around it
    is_far: bool = False  #: whether it is of the arm beyond a trunk that is turned to one side, which hides it


@dataclass(frozen=True)
class Body:
    """The parts of a body that both poses show, and how it is seen."""

    parts: Mapping[str, Part]
    unit: float  #: torso length in the target, pixels
    shows_back: bool  #: whether the source is seen from the front and the target from behind
    is_frontal: bool  #: whether both are seen from the front or from behind, and not from the side
    nape: float | None = None  #: of a head that is seen from behind, above which row there is hair
    facing: int = 0  #: whether the target looks to the left (−1) or the right (1), of a source from the front
    #: of what hangs over both legs, in the source and in the target; None where it lacks legs
    cloths: Sequence[Cloth | None] = (None, None)
    #: limbs, each carried to that of the source's other side: as in a mirror, but bodies from the side as they are
    mirrored: Mapping[str, Part] = field(default_factory=dict)


def match_bodies(
    source: NDArray[np.floating],
    target: NDArray[np.floating],
    head: NDArray[np.float64] | None,
    face: TurnedFace | None = None,
    hides_knees: bool = False,
) -> Body:
    """The parts of ``source`` and ``target``, poses (18, 2) in pixels with both shoulders and hips.

    ``head`` is the similarity (2, 3) from target to source that carries the head, None if it is not carried. The
    ``face`` may be carried by itself. What ``hides_knees`` of the source, such as a long skirt, does not bend at them.
    """
    unit = torso_length(target)
    scale = torso_length(source) / max(unit, 1e-6)
    widths = [(pose[Joint.L_SHOULDER, 0] - pose[Joint.R_SHOULDER, 0]) / torso_length(pose) for pose in (source, target)]
    is_turned = widths[0] * widths[1] < 0
    parts = {_TRUNK: _match_trunks(source, target)}
    if head is not None:
        shown = [joint for joint in HEAD_JOINTS if known_joints(target)[joint]]
        neck = target[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0)
        top = target[shown].mean(axis=0) if shown else neck - 2 * NAPE * unit * find_spine(target)
        line = torch.from_numpy(np.stack([neck, top])).float()
        parts[_HEAD] = Part(line, _RADII["head"] * unit, _carry_by(torch.from_numpy(head).float()))
    elif face is not None:
        parts[_FACE] = Part(parts[_TRUNK].line, 0.0, face.carry)
    narrow, wide = sorted(map(abs, widths))
    is_frontal = narrow > FRONTAL and narrow > _AS_WIDE * wide
    mirrored: dict[str, Part] = {}
    width, side = _SLEEVE * torso_length(source), -1.0 if is_turned else 1.0
    for names, joints, others, kind in (
        (_RIGHT_ARM, ARMS[0], ARMS[1], "arm"),
        (_LEFT_ARM, ARMS[1], ARMS[0], "arm"),
        (_RIGHT_LEG, LEGS[0], LEGS[1], "leg"),
        (_LEFT_LEG, LEGS[1], LEGS[0], "leg"),
    ):
        for name, bone, other in zip(names, pairwise(joints), pairwise(others), strict=True):
            for there, found, way in ((bone, parts, side), (other, mirrored, -side if is_frontal else side)):
                lines = _find_lines(((source, there), (target, bone)), 0.05 * unit)
                if lines is None:
                    continue
                inner = _find_inner_side(lines[0], source) if kind == "arm" and found is parts else 0.0
                carry = _carry_along(lines[0], lines[1], scale, way, inner, width)
                found[name] = Part(lines[1], _RADII[kind] * unit, carry)
    hems = (LEGS[0][2], LEGS[1][2]) if hides_knees else (LEGS[0][1], LEGS[1][1])
    cloths = [Cloth.of(pose, _widen_trunk(pose)[2:], hems) for pose in (source, target)]
    nape = None if shows_face(target) else target[[Joint.R_SHOULDER, Joint.L_SHOULDER], 1].mean() - NAPE * unit
    looks = target[Joint.NOSE, 0] - target[[Joint.R_SHOULDER, Joint.L_SHOULDER], 0].mean()
    facing = int(np.sign(looks)) if abs(widths[0]) > FRONTAL >= abs(widths[1]) and np.isfinite(looks) else 0
    if not is_frontal and abs(widths[0]) > abs(widths[1]):
        for name in parts.keys() & {*(_LEFT_ARM if looks > 0 else _RIGHT_ARM if looks < 0 else ())}:
            parts[name] = replace(parts[name], is_far=True)
    return Body(parts, unit, is_turned and widths[0] > 0, is_frontal, nape, facing, cloths, mirrored)


def _find_lines(bones: Sequence[tuple[NDArray[np.floating], tuple[Joint, Joint]]], least: float) -> list[Tensor] | None:
    """Lines (2, 2) of ``bones``, each a pose and two joints; None if one lacks a joint or is no longer than that."""
    lines = [torch.from_numpy(pose[list(ends)]).float() for pose, ends in bones]
    return lines if all(float((line[1] - line[0]).norm()) > least for line in lines) else None  # NaN is not longer


def find_sources(body: Body, points: Tensor, labels: Tensor) -> Tensor:
    """Where in the source (N, 2) the ``points`` (N, 2) of the target come from, which have ``labels`` (N,).

    NaN where no part carries the label.
    """
    found = torch.full_like(points, torch.nan)
    for label in labels.bincount().nonzero()[:, 0].tolist():
        parts = [body.parts[name] for name in _CARRIERS.get(Label(label), ()) if name in body.parts]
        at = (labels == label).nonzero()[:, 0]
        hung = _hang(body, points[at]) if label in HANGING else None
        if parts or hung:
            found[at] = _mix_parts(body, parts, points[at], hung)
    return found


def find_mirrored_sources(body: Body, points: Tensor, label: Label) -> Tensor:
    """Where in the source (N, 2) the other side's limb shows what a limb with ``label`` may look like at ``points``.

    NaN where it has no joints.
    """
    parts = [body.mirrored[name] for name in _CARRIERS[label] if name in body.mirrored]
    return _mix_parts(body, parts, points, None) if parts else torch.full_like(points, torch.nan)


def find_hanging_sources(body: Body, points: Tensor) -> Tensor:
    """Where in the source (N, 2) a garment over trunk and both legs comes from at ``points`` (N, 2)."""
    return _hang(body, points)[0]


def _hang(body: Body, points: Tensor) -> tuple[Tensor, Tensor]:
    """The same, and how far the points are from those parts, pixels (N,)."""
    parts = [body.parts[name] for name in _BELOW if name in body.parts]
    away = torch.stack([measure_distance(part, points) for part in parts]).amin(0)
    source, target = body.cloths
    places = body.parts[_TRUNK].carry(points)
    return (places if source is None or target is None else carry_cloth(source, target, points, places)), away


def measure_distance(part: Part, points: Tensor) -> Tensor:
    """How far ``points`` (N, 2) are from where the part is all itself, pixels (N,)."""
    if part.corners is not None:
        return measure_to_quad(part.corners, points) + part.radius
    start, end = part.line
    return (measure_to_line(start, end, points) - part.radius).clamp_min(0)


def find_crossing(body: Body, points: Tensor, places: Tensor) -> Tensor:
    """Which of ``points`` (N, 2) are nearest to one leg, and their ``places`` (N, 2) in the source to the other."""
    away = []
    for names in (_LEFT_LEG, _RIGHT_LEG):
        parts = [body.parts[name] for name in names if name in body.parts]
        if len(parts) < len(names):
            return torch.zeros(len(points), dtype=torch.bool)
        lines_there = [part.carry(part.line) for part in parts]
        here = torch.stack([measure_to_line(part.line[0], part.line[1], points) for part in parts]).amin(0)
        there = torch.stack([measure_to_line(line[0], line[1], places) for line in lines_there]).amin(0)
        away.append((here, there))
    (left, left_there), (right, right_there) = away
    return (left < right) != (left_there < right_there)


def turn_foot(shin: Part, toes: Tensor, facing: int) -> Part:
    """``shin`` with a foot beyond it that is turned to where a body from the side looks (−1: left, 1: right).

    ``toes`` (2,) is the way from the ankle to them in the source.
    """
    ankle, way = shin.line[1], shin.line[1] - shin.line[0]
    way = way / way.norm().clamp_min(1e-6)
    steps = ankle + torch.stack([way, 2 * way, way + torch.stack([-way[1], way[0]])])
    there = shin.carry(steps)
    moved = torch.stack([there[1] - there[0], there[2] - there[0]], 1)
    seen = torch.stack([way, torch.stack([-way[1], way[0]])], 1) @ torch.linalg.pinv(moved) @ toes
    angle = torch.atan2(torch.tensor(_TOES), torch.tensor(float(facing))) - torch.atan2(seen[1], seen[0])
    back = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()]).reshape(2, 2)
    return replace(shin, carry=lambda points: shin.carry((points - ankle) @ back.T + ankle))


def find_position_along(part: Part, points: Tensor) -> Tensor:
    """How far beyond the end of its bone ``points`` (N, 2) are, pixels (N,), negative before it."""
    along = part.line[1] - part.line[0]
    return (points - part.line[1]) @ along / along.norm().clamp_min(1e-6)


def _mix_parts(body: Body, parts: Sequence[Part], points: Tensor, hung: tuple[Tensor, Tensor] | None) -> Tensor:
    found, away = [part.carry(points) for part in parts], [measure_distance(part, points) for part in parts]
    if any(part.is_far for part in parts):
        hidden = measure_distance(trunk := body.parts[_TRUNK], points) - trunk.radius < _FLESH * body.unit
        away = [one + 1e6 * hidden if part.is_far else one for one, part in zip(away, parts, strict=True)]
    if hung is not None:
        found, away = [hung[0], *found], [hung[1], *away]
    places, weights = torch.stack(found), (torch.stack(away) + _SOFT * body.unit) ** -_POWER
    nearest = torch.stack(away, 1).argmin(1)  # several times as fast as along the first axis
    chosen = places.gather(0, nearest[None, :, None].expand(1, -1, 2))
    apart = (places - chosen).square().sum(2) / (_APART * body.unit) ** 2
    weights = weights * torch.exp(-apart)
    return (places * weights[..., None]).sum(0) / weights.sum(0)[:, None]


def _match_trunks(source: NDArray[np.floating], target: NDArray[np.floating]) -> Part:
    corners = [_widen_trunk(pose) for pose in (source, target)]
    points, images = (torch.from_numpy(corner) for corner in corners[::-1])
    affine, exists = fit_affines(points, images, torch.ones(4, dtype=torch.float64))
    if not bool(exists):
        affine = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
        affine[:, 2] = (images - points).mean(0)
    shoulders, hips = points[:2].mean(0), points[2:].mean(0)
    around = points[[0, 1, 3, 2]].float()
    behind = _BEHIND * torso_length(target)
    return Part(torch.stack([shoulders, hips]).float(), behind, _carry_by(affine.float()), around)


def _widen_trunk(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Right and left shoulder, right and left hip (4, 2), as far apart as they have to be."""
    unit, corners = torso_length(pose), []
    across = find_spine(pose)[::-1] * (1, -1)
    for right, left in _TRUNK_ENDS:
        middle, half = (pose[right] + pose[left]) / 2, (pose[left] - pose[right]) / 2
        least = _HALF_TORSO * unit * (1 if left == Joint.L_SHOULDER else 0.6)
        if np.linalg.norm(half) < least:
            wide = float(half @ across)
            half = half + (np.copysign(max(abs(wide), least), wide) - wide) * across
        corners += [middle - half, middle + half]
    return np.asarray(corners, np.float64)


def _carry_by(affine: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda points: points @ affine[:, :2].T + affine[:, 2]


def _find_inner_side(arm: Tensor, pose: NDArray[np.floating]) -> float:
    """On which side of the bone (2, 2) of an arm, as `_carry_along` has them, the trunk is; 0 if it is away from it."""
    corners = torch.from_numpy(_widen_trunk(pose)[[0, 1, 3, 2]]).float()
    middle, way = arm.mean(0), arm[1] - arm[0]
    if float(measure_to_quad(corners, middle[None])) > 0.3 * torso_length(pose):
        return 0.0
    towards = corners.mean(0) - middle
    return 1.0 if float(way[0] * towards[1] - way[1] * towards[0]) > 0 else -1.0


def _carry_along(
    source: Tensor, target: Tensor, scale: float, side: float, inner_side: float, width: float
) -> Callable[[Tensor], Tensor]:
    """Along a bone, which stretches between its joints and goes on rigidly beyond; ``side`` −1 swaps its sides.

    Beyond ``width`` on the ``inner_side`` (1, −1, or 0 for none) of the bone, the source is squeezed.
    """
    lengths = [(line[1] - line[0]).norm() for line in (source, target)]
    ways = [(line[1] - line[0]) / length for line, length in zip((source, target), lengths, strict=True)]
    across = [torch.stack([-way[1], way[0]]) for way in ways]

    def carry(points: Tensor) -> Tensor:
        offset = points - target[0]
        along, aside = offset @ ways[1], side * scale * (offset @ across[1])
        inner = along.clamp(min=0).clamp(max=lengths[1])
        placed = inner * (lengths[0] / lengths[1]) + (along - inner) * scale
        if inner_side:
            beyond = (inner_side * aside - width).clamp_min(0) * (along <= lengths[1])
            aside = aside - inner_side * (1 - _SQUEEZED) * beyond
        return source[0] + placed[:, None] * ways[0] + aside[:, None] * across[0]

    return carry
