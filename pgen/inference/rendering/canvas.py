"""A person at the size of the results, with all that depends on the photo alone: computed once, used for every pose."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from pgen.body.boxes import find_box
from pgen.body.crop import Letterbox, scale_pose
from pgen.body.joints import TORSO_JOINTS, Joint
from pgen.body.labels import CLOTH_LABELS, LABEL_COUNT, Label
from pgen.body.limb_fields import find_hand, measure_along, torso_length
from pgen.body.sides import ARM, SIDES
from pgen.inference.person import Person
from pgen.inference.rendering.background import Picture, fill_background
from pgen.inference.rendering.borders import find_near_labels
from pgen.inference.rendering.covered import uncover_clothes
from pgen.inference.rendering.resizing import resize, resize_mask
from pgen.inference.rendering.things import complete_things, find_connected, find_rest_on_clothes

#: The figure's outermost pixels, as a share of the longer side, are mixed with what was behind them.
_RIM = 0.0022
#: So many pixels at outlines of cloth, as a share of the longer side, may be of something else: maps are not exact.
_INEXACT = 0.004
#: How far a sleeve reaches from the bone of its arm, and how far before its last joint a hand or foot begins, in torso
#: lengths.
_SLEEVE, _END = 0.11, 0.05
#: A limb of which less is shown than this share of the other side's is not seen.
_UNSEEN = 0.3
#: What is smaller than this share of a top, and parted from it by a sleeve, is of the sleeve.
_REMNANT = 0.2
#: In place of a label: a top without its sleeves.
TRUNK = LABEL_COUNT
#: From how far beside its label in the photo a pixel may come, in torso lengths: so far, what is nearest is known.
SNAP = 0.2


def _begin_filling() -> None:
    """Backgrounds are filled one after the other, in a thread beside those that render."""
    global _filling
    _filling = ThreadPoolExecutor(1, "fill-background")


_filling: ThreadPoolExecutor
_begin_filling()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_filling)  # threads do not go along into another process


@dataclass(frozen=True, eq=False)
class Canvas:
    """The part of a photo that is worked on, at the size (H, W) of the results."""

    image: Picture  #: (H, W, 3)
    labels: NDArray[np.uint8]  #: (H, W), ids 0-9
    pose: NDArray[np.float32]  #: (18, 2), (x, y) in its pixels
    carried: NDArray[np.bool_]  #: (H, W), what is carried
    silhouette: NDArray[np.bool_]  #: (H, W), the person with all that is worn and carried
    fit: Letterbox  #: how it lies in the networks' frame
    alpha: NDArray[np.uint8] | None = None  #: (H, W), how opaque the photo is; None: all of it
    is_cut_out: bool = False  #: whether the person is before no background
    #: by what `fill` is asked, with the process that fills
    _fills: dict[bool, tuple[int, Future[Picture]]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, person: Person, silhouette: NDArray[np.bool_] | None, frame: tuple[int, int], max_size: int) -> Canvas:
        """``person`` at their own size, or scaled down until no side is longer than ``max_size``."""
        scale = min(1.0, max_size / max(person.crop.size))
        size = (max(1, round(person.crop.size[0] * scale)), max(1, round(person.crop.size[1] * scale)))
        carried = np.zeros(person.crop.size, bool) if person.carried is None else person.carried
        seen = np.zeros(person.crop.size, bool) if silhouette is None else silhouette
        image = resize(person.image, size, Image.Resampling.LANCZOS)
        labels = resize(person.parsing, size, Image.Resampling.NEAREST)
        carried = resize_mask(carried, size, Image.Resampling.NEAREST)
        rest = find_rest_on_clothes(image, carried, labels)
        return cls(
            image,
            np.where(rest, np.uint8(Label.BACKGROUND), labels),
            scale_pose(person.pose, person.crop.size, size),
            carried | rest,
            resize_mask(seen, size, Image.Resampling.NEAREST),
            Letterbox.of(size, frame),
            None if person.alpha is None else resize(person.alpha, size, Image.Resampling.LANCZOS),
            person.is_cut_out,
        )

    @property
    def size(self) -> tuple[int, int]:
        return self.labels.shape[0], self.labels.shape[1]

    @cached_property
    def unit(self) -> float:
        """Torso length, pixels."""
        return torso_length(self.pose)

    @cached_property
    def figure(self) -> NDArray[np.bool_]:
        """Where the person is, (H, W)."""
        return np.asarray(self.labels != Label.BACKGROUND)

    def fill(self, keeps_carried: bool) -> Future[Picture]:
        """The background without the figure; and without all that is worn, carried, or stands out of the map, or not.

        The first call begins with it, beside all that the caller goes on with.
        """
        process, begun = self._fills.get(keeps_carried, (None, None))
        if begun is None or (process != os.getpid() and not begun.done()):  # nobody in this process will end it
            begun = _filling.submit(self._fill, keeps_carried)
            self._fills[keeps_carried] = os.getpid(), begun
        return begun

    def find_removed(self, keeps_carried: bool) -> NDArray[np.bool_]:
        """What `fill` takes out, (H, W)."""
        return self.figure if keeps_carried else self.figure | self.carried | self._worn

    def _fill(self, keeps_carried: bool) -> Picture:
        return fill_background(self.image, self.find_removed(keeps_carried))

    @cached_property
    def pixels(self) -> Tensor:
        """The photo (3, H, W), 0 to 255; at the figure's outline, and around it, in colors from inside of it."""
        # Outermost pixels are mixtures with what was behind, or all of it, as maps are not exact.
        is_head = np.isin(self.labels, (Label.FACE, Label.HAIR))
        rim = np.where(is_head, _RIM, _INEXACT) * max(self.size)
        image, box = self.image, find_box(self.figure, SNAP * self.unit + 1)
        core = ndimage.distance_transform_edt(self.figure[box]) > np.maximum(rim[box], 1)
        if core.any():
            near = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
            image = image.copy()
            image[box] = image[box][near[0], near[1]]
        return torch.from_numpy(image.copy()).permute(2, 0, 1).float()

    @cached_property
    def near_labels(self) -> Tensor:
        """Which labels are so near to each pixel that it may be of them, as `find_near_labels` has it."""
        return find_near_labels(self.labels, _INEXACT * max(self.size))

    @cached_property
    def cores(self) -> Tensor:
        """The map (H, W) with 0 at the outlines of what is shown, where it may be something else."""
        core = np.zeros(self.size, np.int64)
        for label in range(1, LABEL_COUNT):
            shown = self.labels == label
            if not shown.any():
                continue
            width = (_INEXACT if label in CLOTH_LABELS else _RIM) * max(self.size)
            box = find_box(shown, 1)
            edges = [(box[axis].start == 0, box[axis].stop == self.size[axis]) for axis in (0, 1)]
            # Beyond the photo a label goes on.
            padded = np.pad(shown[box], [(int(first), int(last)) for first, last in edges], "edge")
            away = ndimage.distance_transform_edt(padded)
            inner = away[edges[0][0] :, edges[1][0] :][: shown[box].shape[0], : shown[box].shape[1]] > width
            core[box][inner if inner.any() else shown[box]] = label
        return torch.from_numpy(core)

    def find_core(self, label: int) -> NDArray[np.bool_]:
        """Where (H, W) the photo surely shows ``label``, or TRUNK."""
        cores = self.cores.numpy()
        return np.asarray((cores == Label.UPPER) & ~self.sleeves if label == TRUNK else cores == label)

    @cached_property
    def nearest(self) -> dict[int, tuple[Tensor, Tensor]]:
        """For each label shown, and TRUNK: distance (H, W) of each pixel from its core, and the nearest's (y, x).

        These are (2, H, W). Infinite, and 0, far from all that has the label.
        """
        found = {}
        for label in (*range(1, LABEL_COUNT), TRUNK):
            core = self.find_core(label)
            if core.any():
                box = find_box(core, SNAP * self.unit + 1)
                near, at = ndimage.distance_transform_edt(~core[box], return_indices=True)
                away, place = np.full(self.size, np.inf, np.float32), np.zeros((2, *self.size), np.int32)
                away[box] = near
                place[:, box[0], box[1]] = at + np.array([box[0].start, box[1].start])[:, None, None]
                found[label] = torch.from_numpy(away), torch.from_numpy(place)
        return found

    @cached_property
    def under(self) -> Tensor:
        """The map (H, W) without head and arms, with their sleeves: there what is beside them goes on."""
        covers = self.carried | (self.silhouette & ~self.figure)
        rim = max(1, round(_INEXACT / 2 * max(self.size)))
        covers = ndimage.binary_opening(covers, np.ones((3, 3), bool), rim)  # outlines that differ cover nothing
        near = round(SNAP * self.unit) + 1
        labels = uncover_clothes(self.labels, self.sleeves, covers, self._find_below_hips(), near, rim)
        return torch.from_numpy(labels.astype(np.int64))

    @cached_property
    def sleeves(self) -> NDArray[np.bool_]:
        """Where (H, W) a top is near the bones of arms, and what is parted from the rest of it by that."""
        top = self.labels == Label.UPPER
        rows, columns = np.nonzero(top)
        points, sleeves = np.stack([columns, rows], axis=1), np.zeros(self.size, bool)
        for label, arm in SIDES[ARM]:
            joints = self.pose[list(arm)]
            if label in self.ends:
                joints[-1] = find_hand(joints, self.ends[label].numpy(), self.unit)
            for line in pairwise(joints):
                if len(points) and np.isfinite(line).all():
                    near = measure_along(points, np.stack(line))[1] < _SLEEVE * self.unit
                    sleeves[rows[near], columns[near]] = True
        parts, count = ndimage.label(top & ~sleeves)
        if count > 1 and sleeves.any():
            sizes = ndimage.sum(parts > 0, parts, np.arange(count + 1))
            touching = np.unique(parts[ndimage.binary_dilation(sleeves)])
            sleeves |= np.isin(parts, [part for part in touching if part and sizes[part] < _REMNANT * sizes.max()])
        return sleeves

    def _find_below_hips(self) -> NDArray[np.bool_]:
        """Which pixels (H, W) are beyond the hips, as seen from the shoulders."""
        shoulders, hips = (self.pose[list(side)].mean(axis=0) for side in (TORSO_JOINTS[:2], TORSO_JOINTS[2:]))
        rows, columns = np.indices(self.size, sparse=True)
        across, down = hips - shoulders
        return np.asarray((columns - hips[0]) * across + (rows - hips[1]) * down > 0)

    @cached_property
    def ends(self) -> dict[Label, Tensor]:
        """Where (H, W) hands and feet are, by label: what hangs together beyond the last joint of a limb."""
        found = {}
        for label, limb in (side for sides in SIDES.values() for side in sides):
            near, last = self.pose[limb[1]], self.pose[limb[2]]
            if np.isfinite([near, last]).all():
                rows, columns = np.nonzero(self.labels == label)
                way = (last - near) / max(float(np.linalg.norm(last - near)), 1e-6)
                beyond = (np.stack([columns, rows], axis=1) - last) @ way > -_END * self.unit
                mask = np.zeros(self.size, bool)
                mask[rows[beyond], columns[beyond]] = True
                parts, count = ndimage.label(mask)
                if count:
                    own = 1 + np.argmax(ndimage.sum(mask, parts, range(1, count + 1)))
                    found[label] = torch.from_numpy(parts == own)
        return found

    @cached_property
    def unseen(self) -> set[Label]:
        """Limbs without any cloth of which the photo shows little, while it shows those of the other side."""
        areas = np.bincount(self.labels.ravel(), minlength=LABEL_COUNT)
        pairs = [labels for sides in SIDES.values() for labels in permutations(label for label, _ in sides)]
        return {label for label, other in pairs if areas[other] and areas[label] < _UNSEEN * areas[other]}

    @cached_property
    def hides_knees(self) -> bool:
        """Whether one garment hangs before both knees."""
        knees = self.pose[[Joint.R_KNEE, Joint.L_KNEE]]
        if not np.isfinite(knees).all():
            return False
        columns, rows = knees.round().astype(int).T.clip(0, np.array(self.size[::-1])[:, None] - 1)
        return bool(np.isin(self.under.numpy()[rows, columns], (Label.UPPER, Label.SKIRT)).all())

    @cached_property
    def label_tensor(self) -> Tensor:
        return torch.from_numpy(self.labels.astype(np.int64))

    @cached_property
    def _worn(self) -> NDArray[np.bool_]:
        """What the silhouette holds that is connected with the person: other people are none of it."""
        things = complete_things(self.image, self.carried, self.figure)
        return find_connected(self.silhouette | self.figure | things, self.figure)
