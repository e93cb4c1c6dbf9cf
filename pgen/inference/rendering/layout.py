"""The map of a result at its full size: H_S's probabilities, and outlines that the photo shows, carried along."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import find_likeliest
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
    turn_foot,
)
from pgen.inference.rendering.borders import smooth_outlines
from pgen.inference.rendering.canvas import TRUNK, Canvas
from pgen.inference.rendering.hairstyle import find_nape
from pgen.inference.rendering.places import Grid, Places, find_within, look_up
from pgen.inference.rendering.whole_legs import FOOT, join_legs

#: How much it counts, against H_S's probabilities, that the photo shows a label there.
_SHOWN = 0.5
#: The same of what hangs over both legs, and against it where the photo shows none.
_HUNG, _BARE = 1.2, 0.6
#: How far from the line between neck and head a collar or scarf goes with the head, in torso lengths, and how much that
#: counts on this line.
_COLLAR, _CLOSE = 0.26, 1.3
#: How far from wrists hands reach, in torso lengths.
_HAND = 0.45
#: How many pixels of a foot, and of a hand, as a share of the square of a torso length, have to be seen for it to be
#: carried: of a hand in a pocket the wrist is.
_FOOT_SEEN, _HAND_SEEN = 0.004, 0.01
#: How far a neck reaches behind the middle of the shoulders from the side, in torso lengths.
_NECK = 0.12
#: How far beyond the wrist a fist's middle is, and how far it reaches from there, in torso lengths.
_FIST = 0.1
#: Hands and feet by the part that carries them, with their label.
_ENDS = (
    ("l_shin", Label.L_LEG, FOOT),
    ("r_shin", Label.R_LEG, FOOT),
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
_HEAD = torch.tensor((Label.FACE, Label.HAIR))


def enlarge_probabilities(canvas: Canvas, probabilities: Tensor) -> Tensor:
    """H_S's probabilities (10, h, w) in the networks' frame at the size of ``canvas``: (10, H, W), bicubic."""
    rows, columns = canvas.fit.window
    inner = probabilities[:, rows, columns].float().cpu()
    return F.interpolate(inner[None], size=canvas.size, mode="bicubic", align_corners=False)[0]


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
    if is_given:
        labels = find_likeliest(scores)
        return labels, Places(body, grid).find(labels), labels
    election = _Election(canvas, body, grid, scores)
    election.leave_out_heads()
    if body.is_frontal:
        election.vote_for_shown()
        election.vote_for_hems()
    if "head" in body.parts:
        election.vote_for_collar()
    ends = election.carry_ends()
    labels = find_likeliest(scores)
    if "head" in body.parts:
        election.carry_head(labels)
    trunk = body.parts["trunk"]
    is_low = find_position_along(trunk, grid.points) > -_WAIST * body.unit
    close_skirts(grid.as_map(labels), trunk.line, grid.as_map(is_low))
    join_legs(canvas, body, election.sources, labels)
    labels = smooth_outlines(grid.as_map(labels), _JAGS * max(canvas.size)).flatten()
    return labels, *election.find_sources(labels, ends)


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


class _Election:
    """Each pixel's label, by what H_S says and what the photo shows where the pixel comes from.

    Args:
        scores: (N, 10), H_S's probabilities; votes are added to them.
    """

    def __init__(self, canvas: Canvas, body: Body, grid: Grid, scores: Tensor) -> None:
        self.canvas, self.body, self.grid, self.scores = canvas, body, grid, scores
        self.sources = Places(body, grid)
        self.to_arms = torch.full((len(scores),), torch.inf)  # distance from the nearest arm's bones, pixels
        for name in ARM_PARTS:
            if name in body.parts:
                self.to_arms = torch.minimum(self.to_arms, measure_distance(body.parts[name], grid.points))
        self.is_arm = torch.zeros(len(scores), dtype=torch.bool)  # by H_S, or at the bones

    def leave_out_heads(self) -> None:
        """Heads are carried as they are; from behind, none shows a face; from the side, short hair has an end."""
        if "head" in self.body.parts:
            self.scores[:, _HEAD] = 0
        elif self.body.nape is not None:
            above = (self.grid.points[:, 1] < self.body.nape).nonzero()[:, 0]
            self.scores[above, Label.HAIR] += self.scores[above, Label.FACE]
            self.scores[above, Label.FACE] = 0
        elif "face" in self.body.parts and self.body.facing and (nape := find_nape(self.canvas)) is not None:
            self._bare_neck(nape)

    def _bare_neck(self, nape: float) -> None:
        """From the side, let short hair end at the height of ``nape`` above the shoulders, in torso lengths."""
        points, unit, shoulders = self.grid.points, self.body.unit, self.body.parts["trunk"].line[0]
        below = (points[:, 1] > shoulders[1] - nape * unit).nonzero()[:, 0]
        is_behind = self.body.facing * (shoulders[0] - points[below, 0]) > _NECK * unit
        self.scores[below, torch.where(is_behind, Label.BACKGROUND, Label.FACE)] += self.scores[below, Label.HAIR]
        self.scores[below, Label.HAIR] = 0

    def vote_for_shown(self) -> None:
        """What the photo shows where H_S's label comes from."""
        likely = find_likeliest(self.scores[:, 1:]) + 1
        places = self.sources.find(likely)
        self.is_arm = torch.isin(likely, torch.tensor(_ARMS)) | (self.to_arms == 0)
        shown = torch.where(self.is_arm, look_up(self.canvas.label_tensor, places), look_up(self.canvas.under, places))
        # What is beside a hand there, trousers or a skirt, stays where it is.
        stays = torch.isin(shown, _HEAD) | (self.is_arm & torch.isin(shown, torch.tensor(_LOWER)))
        at = (find_within(self.canvas.label_tensor, places) & ~stays).nonzero()[:, 0]
        # Between legs that stood together, each would show the cloth of the other.
        on_legs = shown[at] == Label.PANTS
        crossing = on_legs.clone()
        crossing[on_legs] = find_crossing(self.body, self.grid.points[at[on_legs]], places[at[on_legs]])
        self.scores[at, shown[at].masked_fill(crossing, Label.BACKGROUND)] += _SHOWN

    def vote_for_hems(self) -> None:
        """Below the hips, what hangs over both legs ends where it does in the photo."""
        is_below = find_position_along(self.body.parts["trunk"], self.grid.points) > 0
        at = (is_below & ~self.is_arm).nonzero()[:, 0]
        places = self.sources.find_hanging_at(at)
        is_within = find_within(self.canvas.under, places)
        at, shown = at[is_within], look_up(self.canvas.under, places[is_within])
        hanging = torch.tensor(HANGING)
        is_hung = torch.isin(shown, hanging)
        self.scores[at[is_hung], shown[is_hung]] += _HUNG
        bare = at[~is_hung]
        self.scores[bare[:, None], hanging] -= _BARE

    def vote_for_collar(self) -> None:
        """Around the neck, cloth goes with the head."""
        away = measure_distance(self.body.parts["head"], self.grid.points) / (_COLLAR * self.body.unit)
        at = (away < 1).nonzero()[:, 0]
        places = self.sources.find_at(Label.UPPER, at)
        shown = look_up(self.canvas.label_tensor, places)
        is_neck = (shown == Label.UPPER) | (shown == Label.BACKGROUND)
        said = is_neck & find_within(self.canvas.label_tensor, places)
        self.scores[at[said], shown[said]] += _CLOSE * (1 - away[at[said]])

    def carry_ends(self) -> list[_End]:
        """Give feet and hands the shapes that the photo shows; returns those that do not move with their limb."""
        moved = []
        for name, label, reach in _ENDS:
            if self.body.is_frontal or label in self.canvas.unseen or (self.body.facing and label in _LEGS):
                end = self._carry_end(name, label, reach)
                if end is not None and (end.shown_as != label or (self.body.facing and label in _LEGS)):
                    moved.append(end)
            elif label in _LEGS and name in self.body.parts and not self.canvas.ends.keys() & set(_LEGS):
                self._end_in_cloth(self.body.parts[name], label)
        return moved

    def _carry_end(self, name: str, label: Label, reach: float) -> _End | None:
        body, canvas, grid, unit = self.body, self.canvas, self.grid, self.body.unit
        for parts, shown_as in ((body.parts, label), (body.mirrored, _OTHERS[label])):
            if shown_as in canvas.unseen or name not in parts or shown_as not in canvas.ends:
                continue
            part = parts[name]
            if body.facing and label in _LEGS:
                rows, columns = canvas.ends[shown_as].nonzero(as_tuple=True)
                foot = torch.stack([columns, rows], 1).float().mean(0)
                part = turn_foot(part, foot - part.carry(part.line[1:])[0], body.facing)
            beyond = find_position_along(part, grid.points)
            zone = (beyond > 0) & ((grid.points - part.line[1]).square().sum(1).sqrt() < reach * unit)
            at = zone.nonzero()[:, 0]
            there = part.carry(grid.points[at])
            is_end = look_up(canvas.ends[shown_as].long(), there) == 1
            if is_end.sum() >= (_HAND_SEEN if label in _ARMS else _FOOT_SEEN) * unit**2:
                break
        else:
            if name in body.parts:
                (self._close_hand if label in _ARMS else self._end_in_cloth)(body.parts[name], label)
            return None
        self.scores[at, label] = torch.where(is_end, 9.0, -9.0)
        # Behind a hand is what the trunk and legs bring there; behind a foot there is cloth of this leg, if any.
        is_leg = label in _LEGS
        places = parts[name].carry(grid.points[at]) if is_leg else self.sources.find_hanging_at(at)
        behind = look_up(canvas.under, places)
        is_nothing = torch.isin(behind, torch.tensor(_LEGS))
        if is_leg:
            is_nothing |= find_crossing(body, grid.points[at], places)
        self.scores[at, behind.masked_fill(is_nothing, Label.BACKGROUND)] += _SHOWN
        return _End(at[is_end], there[is_end], label, shown_as)

    def _close_hand(self, forearm: Part, label: Label) -> None:
        """Leave a fist of a hand that the photo does not show: what is made up of fingers looks like none."""
        points, unit = self.grid.points, self.body.unit
        way = forearm.line[1] - forearm.line[0]
        middle = forearm.line[1] + _FIST * unit * way / way.norm()
        beyond = find_position_along(forearm, points)
        near = (points - forearm.line[1]).square().sum(1).sqrt() < _HAND * unit
        is_fist = (points - middle).square().sum(1).sqrt() < _FIST * unit
        at = ((beyond > 0) & near & ~is_fist & (find_likeliest(self.scores) == label)).nonzero()[:, 0]
        behind = look_up(self.canvas.under, self.sources.find_hanging_at(at))
        self.scores[at, label] = -9
        self.scores[at, behind.masked_fill(torch.isin(behind, torch.tensor(_LEGS)), Label.BACKGROUND)] = 9

    def _end_in_cloth(self, shin: Part, label: Label) -> None:
        """Let trousers, or a skirt, that hide a foot do so here, too: they end as they do in the photo."""
        ankle = look_up(self.canvas.label_tensor, shin.carry(shin.line[1:]))
        if int(ankle) not in _LOWER:
            return
        points = self.grid.points
        near = (points - shin.line[1]).square().sum(1).sqrt() < FOOT * self.body.unit
        at = ((find_position_along(shin, points) > 0) & near).nonzero()[:, 0]
        places = shin.carry(points[at])
        shown = look_up(self.canvas.under, places)
        is_other = ~torch.isin(shown, torch.tensor(_LOWER)) | find_crossing(self.body, points[at], places)
        self.scores[at, label] = -9
        self.scores[at, shown.masked_fill(is_other, Label.BACKGROUND)] += _SHOWN

    def carry_head(self, labels: Tensor) -> None:
        """Put the head with its hair over ``labels``, as the photo shows it; arms may be before hair on shoulders."""
        head, points = self.body.parts["head"], self.grid.points
        shown = look_up(self.canvas.label_tensor, head.carry(points))
        along = head.line[1] - head.line[0]
        below = (points - head.line[0]) @ along < 0
        before = (self.to_arms == 0) & below & (shown == Label.HAIR) & (labels != Label.BACKGROUND)
        is_head = torch.isin(shown, _HEAD) & ~before
        labels[is_head] = shown[is_head]

    def find_sources(self, labels: Tensor, moved: list[_End]) -> tuple[Tensor, Tensor]:
        """Where in the photo pixels of ``labels`` come from (N, 2), and what it shows there (N,)."""
        places, shown_as = self.sources.find(labels), labels.clone()
        if "face" in self.body.parts:  # half of an oval is no profile: the rest is painted
            at = (labels == Label.FACE).nonzero()[:, 0]
            is_seen = look_up(torch.from_numpy(self.canvas.find_core(Label.FACE)), places[at])
            places[at[~is_seen]] = torch.nan
        # What the photo shows of a trunk behind its arms is their sleeves.
        to_trunk = measure_distance(self.body.parts["trunk"], self.grid.points)
        on_trunk = (labels == Label.UPPER) & (to_trunk <= self.to_arms)
        shown_as[on_trunk & look_up(torch.from_numpy(self.canvas.sleeves), places)] = TRUNK
        for label in self.canvas.unseen:
            at = (labels == label).nonzero()[:, 0]
            places[at] = find_mirrored_sources(self.body, self.grid.points[at], label)
            shown_as[at] = int(_OTHERS[label])
        for end in moved:
            own = labels[end.at] == end.label
            places[end.at[own]], shown_as[end.at[own]] = end.places[own], int(end.shown_as)
        return places, shown_as
