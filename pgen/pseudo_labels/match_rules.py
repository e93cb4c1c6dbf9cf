"""Which maps may be pseudo labels of which: other people's, in other poses, in the same clothes as far as maps show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pgen.body.joints import ARMS, LEGS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.parts import torso_lengths
from pgen.errors import InputError
from pgen.pseudo_labels.part_patches import sample_labels

#: Joints on average within so many torso lengths: nearly the same pose.
SAME_POSE = 0.2
#: Sleeves and hems may end so far apart, in upper arms and thighs.
SAME_CLOTHES = 0.08

#: Points looked at along one bone, and beside each other across it, within so many torso lengths of it.
_ALONG, _ACROSS, _HALF_WIDTH = 20, 3, 0.04
#: Where bare skin at the end of what is seen of a limb counts as the hem seen: the last points.
_END = 2
#: A thigh or calf that the frame cuts off is thought to be this long, in torso lengths.
_CUT_LENGTH = 0.95
#: Trousers or a skirt must cover this share of the map to count.
_GARMENT_SHARE = 0.004


class MatchRules:
    """Who may be matched with whom, asked for block by block.

    Args:
        labels: (N, H, W) ids 0-9.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.
        persons: who it is, N of them; nobody is matched with themselves.
        names: of the maps, for messages.
        same_clothes: by how much sleeves and hems may differ, or by as much more as it takes to leave ``least_alike``
            maps; None allows any clothes.
    """

    def __init__(
        self,
        labels: Tensor,
        poses: Tensor,
        persons: Sequence[str],
        names: Sequence[str],
        same_clothes: float | None,
        least_alike: int,
    ) -> None:
        there = known_joints(poses)[..., None].expand_as(poses)
        joints = torch.where(there, poses, 0)
        hips = (joints[:, Joint.R_HIP] + joints[:, Joint.L_HIP])[:, None] / 2
        scaled = (joints - hips) / torso_lengths(poses)[:, None, None].clamp_min(1e-6)
        # Joints about the middle of the hips in torso lengths, and which are known: (N, 36) both.
        self.pose, self.there = torch.where(there, scaled, 0).flatten(1), there.flatten(1).float()
        self.person = torch.from_numpy(np.unique(np.asarray(persons), return_inverse=True)[1])
        self.names, self.same_clothes, self.least_alike = names, same_clothes, least_alike
        self.clothes = None if same_clothes is None else measure_clothes(labels, poses)

    def permit(self, rows: slice) -> tuple[Tensor, Tensor]:
        """Which maps may be matched with ``rows``, bool (rows, N), and how far apart the poses are, in torso lengths.

        Raises `InputError` if a map has nobody else in another pose.
        """
        there, pose = self.there, self.pose
        common_joints = (there[rows] @ there.T).clamp_min(1)
        squares = (pose[rows].square() * there[rows]) @ there.T + there[rows] @ pose.square().T
        apart = ((squares - 2 * pose[rows] @ pose.T).clamp_min(0) / common_joints * 2).sqrt()
        allowed = (self.person[rows, None] != self.person[None]) & (apart >= SAME_POSE)
        alone = (~allowed.any(1)).nonzero()
        if len(alone):
            name = self.names[rows.start + int(alone[0])]
            raise InputError(f"{name}: the data set shows nobody else in another pose; add photos of more people")
        if self.clothes is not None and self.same_clothes is not None:
            misfit = self.clothes.misfit(rows).masked_fill_(~allowed, torch.inf)
            enough = misfit.kthvalue(min(self.least_alike, misfit.shape[1]), 1, keepdim=True).values
            allowed &= misfit <= enough.clamp_min(self.same_clothes)
        return allowed, apart


@dataclass(frozen=True)
class Clothes:
    """Three measures of N maps, each as the least and the most that the map allows: (N, 3) both.

    How far sleeves reach (0 the shoulder, 1 the elbow, 2 the wrist), how far the lower garment does (0 the hip, 1 the
    knee, 2 the ankle), and whether it is trousers (0) or a skirt (2). Where the map shows nothing, 0 to 2.
    """

    least: Tensor
    most: Tensor

    def misfit(self, rows: slice) -> Tensor:
        """By how much each map (columns) could fall outside what the maps ``rows`` show: (rows, N), 0-2.

        A map that shows less than the one of the row misfits; where the row shows nothing, any will do.
        """
        worst = torch.zeros(len(self.least[rows]), len(self.least))
        for measure in range(self.least.shape[1]):
            least, most = self.least[rows, measure, None], self.most[rows, measure, None]
            torch.maximum(worst, least - self.least[:, measure], out=worst)
            torch.maximum(worst, self.most[:, measure] - most, out=worst)
        return worst


def measure_clothes(labels: Tensor, poses: Tensor) -> Clothes:
    """Read maps (N, H, W), any integer type, with their poses (N, 18, 2), shoulders and hips known."""
    measured = [_measure(labels[rows], poses[rows]) for rows in torch.arange(len(labels)).split(256)]
    least, most = (torch.cat(side) for side in zip(*measured, strict=True))
    return Clothes(least, most)


def _measure(labels: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
    size = (labels.shape[1], labels.shape[2])
    legs = _with_cut_legs(poses, size)
    sleeves = _measure_reach(labels, poses, ARMS, (Label.UPPER,), (Label.L_ARM, Label.R_ARM))
    lower = _measure_reach(labels, legs, LEGS, (Label.PANTS, Label.SKIRT), (Label.L_LEG, Label.R_LEG))
    trousers, skirt = ((labels == label).sum((1, 2)) for label in (Label.PANTS, Label.SKIRT))
    kind = 2 * skirt / (trousers + skirt).clamp_min(1)
    is_known = trousers + skirt > _GARMENT_SHARE * size[0] * size[1]
    skirted = torch.where(is_known, kind, 0), torch.where(is_known, kind, 2)
    least, most = zip(sleeves, lower, skirted, strict=True)
    return torch.stack(least, 1), torch.stack(most, 1)


def _with_cut_legs(poses: Tensor, size: tuple[int, int]) -> Tensor:
    """Knees, and ankles, that are missing because the frame ends above them, where straight legs would have them."""
    poses = poses.clone()
    hips = (poses[:, Joint.R_HIP] + poses[:, Joint.L_HIP]) / 2
    shoulders = (poses[:, Joint.R_SHOULDER] + poses[:, Joint.L_SHOULDER]) / 2
    length = torso_lengths(poses)[:, None]
    down = torch.nn.functional.normalize(hips - shoulders, dim=1)
    limits = torch.tensor([size[1], size[0]], dtype=poses.dtype)
    for hip, knee, ankle in LEGS:
        for joint, start, along in ((knee, hip, down), (ankle, knee, None)):
            if along is None:
                along = torch.nn.functional.normalize(poses[:, knee] - poses[:, hip], dim=1)
            thought = poses[:, start] + _CUT_LENGTH * length * along
            outside = ((thought < 0) | (thought >= limits)).any(1)
            cut = outside & ~poses[:, joint].isfinite().all(1)
            poses[:, joint] = torch.where(cut[:, None], thought, poses[:, joint])
    return poses


def _measure_reach(
    labels: Tensor,
    poses: Tensor,
    limbs: tuple[tuple[Joint, Joint, Joint], ...],
    cloth: tuple[Label, ...],
    skin: tuple[Label, ...],
) -> tuple[Tensor, Tensor]:
    """The least and the most (N,) that cloth reaches along the limbs: 0-2.

    Of the right and the left the barer counts: a limb behind the body looks covered, none looks bare that is not.
    """
    reaches = []
    for start, middle, end in limbs:
        bones = (_sample_labels_along(labels, poses, *bone) for bone in ((start, middle), (middle, end)))
        reaches.append(_measure_reach_along(torch.cat(list(bones), 1), cloth, skin))
    least, most = (torch.stack(side) for side in zip(*reaches, strict=True))
    most = most.amin(0)
    # Where one limb shows its hem, the other's, less of which is seen, does not matter.
    return torch.minimum(least.amax(0), most), most


def _measure_reach_along(found: Tensor, cloth: tuple[Label, ...], skin: tuple[Label, ...]) -> tuple[Tensor, Tensor]:
    """The same along one limb, of the labels (N, along, across) found there."""
    covered, bare = (torch.isin(found, torch.tensor(kinds, dtype=found.dtype)).sum(2) for kinds in (cloth, skin))
    seen = covered + bare > 0
    # Past the last point that shows anything nobody knows; a gap before it is like what lies above.
    places = torch.arange(2 * _ALONG)
    last = torch.where(seen, places, -1).amax(1)
    above = torch.where(seen, places, -1).cummax(1).values
    share = (covered / (covered + bare).clamp_min(1)).gather(1, above.clamp_min(0))
    within = places <= last[:, None]
    reach = (share * within).sum(1) / _ALONG
    at_end = within & (places > last[:, None] - _END)
    hem_seen = (share * at_end).sum(1) < 0.5 * at_end.sum(1)
    enough = last >= _END
    is_known = enough & (hem_seen | (last >= 2 * _ALONG - _END))
    return torch.where(enough, reach, 0.0), torch.where(is_known, reach, 2.0)


def _sample_labels_along(labels: Tensor, poses: Tensor, start: Joint, end: Joint) -> Tensor:
    """Labels (N, along, across) on and beside a bone, −1 where it is unknown or outside the frame."""
    there = known_joints(poses)
    joints = torch.where(there[..., None], poses, 0)
    along = joints[:, end] - joints[:, start]
    normal = torch.nn.functional.normalize(torch.stack([-along[:, 1], along[:, 0]], 1), dim=1)
    u = (torch.arange(_ALONG) + 0.5)[None, :, None, None] / _ALONG
    v = torch.linspace(-_HALF_WIDTH, _HALF_WIDTH, _ACROSS)[:, None] * torso_lengths(poses)[:, None, None, None]
    spots = joints[:, start, None, None] + u * along[:, None, None] + v * normal[:, None, None]
    return sample_labels(labels, spots.add(0.5).floor(), (there[:, start] & there[:, end])[:, None, None])
