"""The map of a result at its full size: H_S's probabilities, and outlines that the photo shows, carried along."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.sides import SIDES
from pgen.inference.rendering.bones import (
    ARM_PARTS,
    HANGING,
    Body,
    Part,
    find_crossing,
    find_mirrored_sources,
    find_position_along,
    measure_distance,
)
from pgen.inference.rendering.borders import smooth_outlines
from pgen.inference.rendering.canvas import TRUNK, Canvas
from pgen.inference.rendering.places import Grid, Places

#: How much it counts, against H_S's probabilities, that the photo shows a label there.
_SHOWN = 0.5
#: The same of what hangs over both legs, and against it where the photo shows none.
_HUNG, _BARE = 1.2, 0.6
#: How far from the line between neck and head a collar or scarf goes with the head, in torso lengths, and how much that
#: counts on this line.
_COLLAR, _CLOSE = 0.26, 1.3
#: How far from ankles and wrists feet and hands reach, in torso lengths; and how many pixels of a foot or a hand, as a
#: share of the square of a torso length, have to be seen for it to be carried.
_FOOT, _HAND, _SEEN = 0.55, 0.45, 0.004
#: How far beyond the wrist a fist's middle is, and how far it reaches from there, in torso lengths.
_FIST = 0.1
#: Hands and feet by the part that carries them, with their label.
_ENDS = (
    ("l_shin", Label.L_LEG, _FOOT),
    ("r_shin", Label.R_LEG, _FOOT),
    ("l_forearm", Label.L_ARM, _HAND),
    ("r_forearm", Label.R_ARM, _HAND),
)
#: So far above the hips, in torso lengths, a skirt may begin.
_WAIST = 0.5
#: By how much outlines are smoothed, as a share of the longer side.
_JAGS = 0.0025
_OTHERS = {one: other for sides in SIDES.values() for (one, _), (other, _) in permutations(sides)}
_ARMS, _LEGS = (Label.L_ARM, Label.R_ARM), (Label.L_LEG, Label.R_LEG)
_LOWER = (Label.PANTS, Label.SKIRT)


def enlarge_probabilities(canvas: Canvas, probabilities: Tensor) -> Tensor:
    """H_S's probabilities (10, h, w) in the networks' frame at the size of ``canvas``: (10, H, W), bicubic."""
    rows, columns = canvas.fit.window
    inner = probabilities[:, rows, columns].float().cpu()
    return F.interpolate(inner[None], size=canvas.size, mode="bicubic", align_corners=False)[0]


def look_up(labels: Tensor, places: Tensor) -> Tensor:
    """The label (N,) that ``labels`` (H, W) has at ``places`` (N, 2) of (x, y); background outside and for NaN."""
    height, width = labels.shape
    x, y = (places.nan_to_num(-9).round().long()).unbind(1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = labels[y.clamp(0, height - 1), x.clamp(0, width - 1)]
    return torch.where(inside, found, torch.zeros_like(found))


def find_within(labels: Tensor, places: Tensor) -> Tensor:
    """Which of ``places`` (N, 2) lie in the photo of ``labels`` (H, W); beyond it nothing is known."""
    sides = torch.tensor([labels.shape[1], labels.shape[0]])
    return ((places > -0.5) & (places < sides - 0.5)).all(1)


def choose_labels(
    canvas: Canvas, body: Body, probabilities: Tensor, grid: Grid, is_given: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The map (N,) of ``grid``; where in the photo its pixels come from (N, 2), NaN = nowhere; and their labels there.

    These are TRUNK where the photo shows a sleeve in place of what is behind it.

    Args:
        probabilities: (10, H, W), as `enlarge_probabilities` gives them.
        is_given: whether they are those of a map that the user wants, which rules.
    """
    scores = probabilities[:, grid.box[0], grid.box[1]].reshape(LABEL_COUNT, -1).T.contiguous()
    head_labels, sources = torch.tensor((Label.FACE, Label.HAIR)), Places(body, grid)
    if is_given:
        labels = scores.argmax(1)
        return labels, sources.find(labels), labels
    carries_head = "head" in body.parts
    if carries_head:
        scores[:, head_labels] = 0
    elif body.nape is not None:
        # From behind, no head shows a face.
        above = (grid.points[:, 1] < body.nape).nonzero()[:, 0]
        scores[above, Label.HAIR] += scores[above, Label.FACE]
        scores[above, Label.FACE] = 0
    likely = scores[:, 1:].argmax(1) + 1
    to_arms = torch.full((len(likely),), torch.inf)
    for name in ARM_PARTS:
        if name in body.parts:
            to_arms = torch.minimum(to_arms, measure_distance(body.parts[name], grid.points))
    on_arm = to_arms == 0
    if body.is_frontal:
        places = sources.find(likely)
        is_arm = torch.isin(likely, torch.tensor(_ARMS)) | on_arm
        shown = torch.where(is_arm, look_up(canvas.label_tensor, places), look_up(canvas.under, places))
        # What is beside a hand there, trousers or a skirt, stays where it is.
        stays = torch.isin(shown, head_labels) | (is_arm & torch.isin(shown, torch.tensor(_LOWER)))
        at = (find_within(canvas.label_tensor, places) & ~stays).nonzero()[:, 0]
        # Between legs that stood together, each would show the cloth of the other.
        on_legs = shown[at] == Label.PANTS
        crossing = on_legs.clone()
        crossing[on_legs] = find_crossing(body, grid.points[at[on_legs]], places[at[on_legs]])
        scores[at, shown[at].masked_fill(crossing, Label.BACKGROUND)] += _SHOWN
        _vote_for_hems(canvas, body, grid, sources, scores, is_arm)
    if carries_head:
        _vote_for_collar(canvas, body, grid, sources, scores)
    mirrored: list[_End] = []
    for name, label, reach in _ENDS:
        if body.is_frontal or label in canvas.unseen:
            end = _carry_end(canvas, body, grid, sources, scores, name, label, reach)
            if end is not None and end.shown_as != label:
                mirrored.append(end)
    labels = scores.argmax(1)
    if carries_head:
        _carry_head(canvas, body, grid, labels, on_arm)
    trunk = body.parts["trunk"]
    is_low = find_position_along(trunk, grid.points) > -_WAIST * body.unit
    close_skirts(grid.as_map(labels), trunk.line, grid.as_map(is_low))
    labels = smooth_outlines(grid.as_map(labels), _JAGS * max(canvas.size)).flatten()
    places, shown_as = sources.find(labels), labels.clone()
    # What the photo shows of a trunk behind its arms is their sleeves.
    on_trunk = (labels == Label.UPPER) & (measure_distance(body.parts["trunk"], grid.points) <= to_arms)
    shown_as[on_trunk & look_up(torch.from_numpy(canvas.sleeves), places)] = TRUNK
    for label in canvas.unseen:
        at = (labels == label).nonzero()[:, 0]
        places[at], shown_as[at] = find_mirrored_sources(body, grid.points[at], label), int(_OTHERS[label])
    for end in mirrored:
        own = labels[end.at] == end.label
        places[end.at[own]], shown_as[end.at[own]] = end.places[own], int(end.shown_as)
    return labels, places, shown_as


def close_skirts(map_: Tensor, trunk: Tensor, is_low: Tensor) -> None:
    """Let cloth go on between legs in ``map_`` (h, w): a skirt is one piece, square to the line (2, 2) of the trunk.

    Where the trunk lies more than it stands, columns are filled in place of rows. What is not low (h, w) is no skirt's.
    """
    across, along = (trunk[1] - trunk[0]).abs().tolist()
    axis = 1 if along >= across else 0
    skirt = ((map_ == Label.SKIRT) & is_low).byte()
    before, behind = skirt.cummax(axis).values, skirt.flip(axis).cummax(axis).values.flip(axis)
    map_[(before & behind).bool() & (map_ == Label.BACKGROUND)] = int(Label.SKIRT)


@dataclass
class _End:
    """A hand or a foot that the photo shows."""

    at: Tensor  #: its pixels (K,), by their numbers
    places: Tensor  #: where in the photo they come from (K, 2)
    label: Label  #: in the result
    shown_as: Label  #: in the photo: the other side's, if only that is seen


def _carry_end(
    canvas: Canvas, body: Body, grid: Grid, sources: Places, scores: Tensor, name: str, label: Label, reach: float
) -> _End | None:
    """Give the foot or the hand at the end of a limb the shape that the photo shows: its own, or the other mirrored."""
    unit = body.unit
    for parts, shown_as in ((body.parts, label), (body.mirrored, _OTHERS[label])):
        if shown_as in canvas.unseen or name not in parts or shown_as not in canvas.ends:
            continue
        part = parts[name]
        beyond = find_position_along(part, grid.points)
        zone = (beyond > 0) & ((grid.points - part.line[1]).square().sum(1).sqrt() < reach * unit)
        at = zone.nonzero()[:, 0]
        there = part.carry(grid.points[at])
        is_end = look_up(canvas.ends[shown_as].long(), there) == 1
        if is_end.sum() >= _SEEN * unit**2:
            break
    else:
        if label in _ARMS and name in body.parts:
            _close_hand(canvas, body.parts[name], unit, grid, sources, scores, label)
        return None
    scores[at, label] = torch.where(is_end, 9.0, -9.0)
    # What is behind a hand is what the trunk and legs bring there; behind a foot there is cloth of this leg, if any.
    is_leg = label in _LEGS
    places = there if is_leg else sources.find_hanging_at(at)
    behind = look_up(canvas.under, places)
    is_nothing = torch.isin(behind, torch.tensor(_LEGS))
    if is_leg:
        is_nothing |= find_crossing(body, grid.points[at], places)
    scores[at, behind.masked_fill(is_nothing, Label.BACKGROUND)] += _SHOWN
    return _End(at[is_end], there[is_end], label, shown_as)


def _close_hand(
    canvas: Canvas, forearm: Part, unit: float, grid: Grid, sources: Places, scores: Tensor, label: Label
) -> None:
    """Leave a fist of a hand that the photo does not show: what is made up of fingers looks like none."""
    way = forearm.line[1] - forearm.line[0]
    middle = forearm.line[1] + _FIST * unit * way / way.norm()
    beyond = find_position_along(forearm, grid.points)
    near = (grid.points - forearm.line[1]).square().sum(1).sqrt() < _HAND * unit
    is_fist = (grid.points - middle).square().sum(1).sqrt() < _FIST * unit
    at = ((beyond > 0) & near & ~is_fist & (scores.argmax(1) == label)).nonzero()[:, 0]
    behind = look_up(canvas.under, sources.find_hanging_at(at))
    scores[at, label] = -9
    scores[at, behind.masked_fill(torch.isin(behind, torch.tensor(_LEGS)), Label.BACKGROUND)] = 9


def _vote_for_hems(canvas: Canvas, body: Body, grid: Grid, sources: Places, scores: Tensor, is_arm: Tensor) -> None:
    """Below the hips, what hangs over both legs ends where it does in the photo."""
    at = ((find_position_along(body.parts["trunk"], grid.points) > 0) & ~is_arm).nonzero()[:, 0]
    places = sources.find_hanging_at(at)
    is_within = find_within(canvas.under, places)
    at, shown = at[is_within], look_up(canvas.under, places[is_within])
    hanging = torch.tensor(HANGING)
    is_hung = torch.isin(shown, hanging)
    scores[at[is_hung], shown[is_hung]] += _HUNG
    bare = at[~is_hung]
    scores[bare[:, None], hanging] -= _BARE


def _vote_for_collar(canvas: Canvas, body: Body, grid: Grid, sources: Places, scores: Tensor) -> None:
    """Around the neck, cloth goes with the head."""
    away = measure_distance(body.parts["head"], grid.points) / (_COLLAR * body.unit)
    at = (away < 1).nonzero()[:, 0]
    places = sources.find_at(Label.UPPER, at)
    shown = look_up(canvas.label_tensor, places)
    said = ((shown == Label.UPPER) | (shown == Label.BACKGROUND)) & find_within(canvas.label_tensor, places)
    scores[at[said], shown[said]] += _CLOSE * (1 - away[at[said]])


def _carry_head(canvas: Canvas, body: Body, grid: Grid, labels: Tensor, on_arm: Tensor) -> None:
    """Put the head with its hair over ``labels``, as the photo shows it; arms may be before hair on the shoulders."""
    head = body.parts["head"]
    shown = look_up(canvas.label_tensor, head.carry(grid.points))
    along = head.line[1] - head.line[0]
    below = (grid.points - head.line[0]) @ along < 0
    before = on_arm & below & (shown == Label.HAIR) & (labels != Label.BACKGROUND)
    is_head = ((shown == Label.FACE) | (shown == Label.HAIR)) & ~before
    labels[is_head] = shown[is_head]
