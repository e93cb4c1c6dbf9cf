"""A person of a photo, and what can be made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.batch import PersonBatch, from_pictures, to_pictures
from pgen.body.crop import CropBox, Letterbox
from pgen.body.labels import Label
from pgen.body.masks import pose_masks
from pgen.body.outlines import fit_outlines
from pgen.body.retarget import retarget_motion
from pgen.body.transfer import Transfer
from pgen.data.formats.keypoints import LoadedPose
from pgen.errors import InputError
from pgen.inference.inputs import (
    ParsingLike,
    PoseLike,
    SourceInput,
    complete_pose,
    has_same_shape,
    load_parsing,
    read_target,
    resize_parsing,
)
from pgen.inference.manipulation import ManipulationResult, manipulate_person
from pgen.inference.result import Result
from pgen.inference.texture_transfer import TextureTransferResult, transfer_texture

if TYPE_CHECKING:
    from pgen.inference.predictor import Predictor

BATCH = 8

#: How target poses take on the body of the source: not at all, each by itself, or as one motion of one person.
Retarget = Literal["no", "each", "motion"]

# What is left around a person when the photo is cropped, of the body's longer side, and by how much the person must
# come out larger for it to be worth it.
_MARGIN, _WORTH = 0.15, 1.25


@dataclass(frozen=True)
class _Target:
    """A target in the model's frame."""

    name: str
    pose: NDArray[np.float32]
    parsing: NDArray[np.uint8] | None  # to be predicted if None
    warnings: tuple[str, ...]


class Person:
    """A person of one photo: made by `PersonGenerator.person`, kept, and put into as many poses as wanted.

    The photo, or the part of it around the person, is fitted as a whole into the model's frame (`Letterbox`); results
    come back in the frame and size of that part. What it holds beyond the model's resolution is not seen by the
    networks.

    Attributes:
        name: the photo's file name.
        photo: the photo, uint8 (height, width, 3).
        window: the part of it that is worked on; all of it unless it was cropped. H and W are its sides.
        image: that part, uint8 (H, W, 3).
        pose: joints (18, 2) in that part's pixels, with both shoulders and both hips.
        parsing: uint8 (H, W).
        warnings: what had to be made up.
        notes: what was estimated, and by what.
        fit: how that part lies in the model's frame.
        views: photo, map and pose in the model's frame, a batch of one on the model's device.
    """

    def __init__(self, generator: Predictor, source: SourceInput, crop: bool = False) -> None:
        self.generator = generator
        self.name, self.photo, self.warnings, self.notes = source.name, source.image, source.warnings, source.notes
        size = (source.image.shape[0], source.image.shape[1])
        self.window = _window(source, generator.frame) if crop and not source.framed else CropBox.whole(size)
        self.image, self.parsing = self.window.of(source.image), self.window.of(source.parsing)
        self.pose = source.pose - self.window.corner
        self.fit = Letterbox.of(self.window.size, generator.frame)
        device = generator.device
        labels = torch.from_numpy(self.fit.parsing(self.parsing)).to(device)
        self.views = PersonBatch(
            from_pictures(self.fit.image(self.image)[None], device),
            labels[None].long(),
            torch.from_numpy(self.fit.pose(self.pose)).to(device)[None],
        )

    @cached_property
    def outlined(self) -> Person:
        """This person with outlines of the map where the photo has them (`pgen.body.outlines`)."""
        other = copy(self)
        other.parsing = fit_outlines(self.image, self.parsing)
        labels = torch.from_numpy(self.fit.parsing(other.parsing)).to(self.views.labels)
        other.views = PersonBatch(self.views.images, labels[None], self.views.poses)
        return other

    def of_photo(self, parsing: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A map (H, W) of the part that is worked on as one of the whole photo: uint8 (height, width)."""
        whole = np.full(self.photo.shape[:2], Label.BACKGROUND, np.uint8)
        self.window.of(whole)[:] = parsing
        return whole

    def generate(self, pose: PoseLike, parsing: ParsingLike | None = None, retarget: bool = False) -> Result:
        """The person in another pose.

        Args:
            pose: as in `PersonGenerator.person`, or a photo, whose pose is estimated, or the name of a bundled pose. If
                its frame is known (a photo's, that of a pose of a store, of JSON that tells its canvas, or of a CSV
                with the photo beside it) that frame is fitted into the model's like the photo was; otherwise, and for
                arrays, it is in pixels of this person's photo.
            parsing: map of the result, predicted if not given; in the frame of the pose or of this person's photo.
            retarget: give the pose the limb lengths, size and place of this person (`pgen.body.retarget`).

        Raises:
            InputError: what was given cannot be read or is no pose or no map for it.
        """
        return next(self.generate_many([pose], None if parsing is None else [parsing], "each" if retarget else "no"))

    def generate_many(
        self,
        poses: Iterable[PoseLike],
        parsings: Iterable[ParsingLike | None] | None = None,
        retarget: Retarget = "no",
    ) -> Iterator[Result]:
        """The same for many poses, several at a time. All poses are read, and refused, before the first result."""
        pairs = list(zip(poses, parsings or repeat(None), strict=parsings is not None))
        read = [read_target(pose, self.generator.annotators) for pose, _ in pairs]
        whole = [self._completed(loaded) for loaded in read]
        if retarget == "motion":
            moved: list[NDArray[np.float32] | None] = list(retarget_motion([pose for pose, _, _ in whole], self.pose))
        elif retarget == "each":
            moved = [retarget_motion([pose], self.pose)[0] for pose, _, _ in whole]
        else:
            moved = [None] * len(whole)
        targets = [
            self._target(loaded, own, new, parsing)
            for loaded, own, new, (_, parsing) in zip(read, whole, moved, pairs, strict=True)
        ]
        if any(target.parsing is None for target in targets):
            self.generator.require_layouts()
        batches = (targets[start : start + BATCH] for start in range(0, len(targets), BATCH))
        return (result for batch in batches for result in self._transfer(batch))

    def transfer_texture(
        self, clothes: Person, regions: Sequence[str] = ("upper",), shape: bool = False
    ) -> TextureTransferResult:
        """This person with regions of another photo; pose, face and every other pixel stay this photo's.

        Args:
            clothes: whose clothes (or hair) it is, from the same `Predictor`.
            regions: any of ``upper``, ``pants``, ``skirt``, ``hair``, ``lower`` (pants or skirt, whichever each photo
                shows) and ``all`` (what both show).
            shape: let regions take on the other garment's shape as well, predicted by H_S. What comes to light where
                this person's own garment ends is painted too.

        Raises:
            InputError: an unknown region, one that a photo does not show, or weights without H_S for ``shape``.
        """
        return transfer_texture(self, clothes, regions, shape)

    def manipulate(self, parsing: ParsingLike | None = None, **edits: str | float) -> ManipulationResult:
        """This person's photo with another parsing map: ``person.manipulate(sleeves="long", lower="skirt")``.

        H_A paints what changes; away from it, and a small border, every pixel stays the photo's.

        Args:
            parsing: the map of the result, as large as the photo, or as the part of it in use: ids, or a file, such as
                the palette PNG that `Manipulated.save_parsing` writes, painted by hand. Not together with edits.
            edits: named edits of the photo's own map: ``sleeves`` (none, short, elbow, long, or a share of the arm, 0
                to 1), ``lower`` (pants, shorts, skirt), ``length`` of what is worn below (mini, short, knee, midi,
                full, or a share of the leg), ``neckline`` (round, scoop, v, boat, high), ``hair`` (short, long).

        Raises:
            InputError: an unknown edit or value, one that photo or pose show too little for, or a map that cannot be
                read or has another size.
        """
        return manipulate_person(self, edits, parsing)

    def _completed(self, loaded: LoadedPose) -> tuple[NDArray[np.float32], tuple[int, int], tuple[str, ...]]:
        """A target with both shoulders and hips, its frame, and warnings."""
        if loaded.frame is None:  # pixels of the photo
            loaded, size = replace(loaded, pose=loaded.pose - self.window.corner), self.fit.original
        else:
            size = loaded.frame
        joints, warnings = complete_pose(loaded, size)
        return joints, size, (*loaded.doubts, *warnings)

    def _target(
        self,
        loaded: LoadedPose,
        own: tuple[NDArray[np.float32], tuple[int, int], tuple[str, ...]],
        moved: NDArray[np.float32] | None,
        parsing: ParsingLike | None,
    ) -> _Target:
        joints, size, warnings = own
        fit = Letterbox.of(size, self.fit.frame)
        pose = fit.pose(joints) if moved is None else self.fit.pose(moved)
        return _Target(loaded.name, pose, self._target_map(parsing, fit, loaded), warnings)

    def _target_map(self, parsing: ParsingLike | None, fit: Letterbox, pose: LoadedPose) -> NDArray[np.uint8] | None:
        if parsing is None:
            return None
        labels, what = load_parsing(parsing)
        for own in (fit, self.fit):
            if has_same_shape(labels.shape, own.original):
                return own.parsing(resize_parsing(labels, own.original))
        raise InputError(
            f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width): neither the shape of {pose.name} "
            f"({fit.original[0]}x{fit.original[1]}) nor that of {self.name} ({self.fit.original[0]}x"
            f"{self.fit.original[1]}); give the map of one of them"
        )

    def _transfer(self, targets: Sequence[_Target]) -> Iterator[Result]:
        count, device = len(targets), self.generator.device
        source = PersonBatch(
            self.views.images.expand(count, -1, -1, -1).contiguous(memory_format=torch.channels_last),
            self.views.labels.expand(count, -1, -1).contiguous(),
            self.views.poses.expand(count, -1, -1).contiguous(),
        )
        poses = torch.from_numpy(np.stack([target.pose for target in targets])).to(device)
        transfer = Transfer(source.poses, poses, self.fit.frame)
        layouts = self._layouts(targets, source, transfer)
        images = self.generator.images(source, transfer, layouts)
        for target, image, layout in zip(targets, images, layouts, strict=True):
            yield Result(
                person=self,
                target=target.name,
                image=self.fit.image_back(to_pictures(image[None])[0]),
                parsing=self.fit.parsing_back(layout.byte().cpu().numpy()),
                pose=self.fit.pose_back(target.pose),
                warnings=target.warnings,
            )

    def _layouts(self, targets: Sequence[_Target], source: PersonBatch, transfer: Transfer) -> Tensor:
        """Maps, long (B, H, W): the given ones, and predictions for the rest."""
        given = [target.parsing for target in targets]
        if any(parsing is None for parsing in given):
            layouts = self.generator.layouts(source, transfer).clone()
        else:
            layouts = torch.empty_like(source.labels)
        for layout, parsing in zip(layouts, given, strict=True):
            if parsing is not None:
                layout.copy_(torch.from_numpy(parsing))
        return layouts


def _window(source: SourceInput, frame: tuple[int, int]) -> CropBox:
    """The part of a photo around the person; all of it if that shows them hardly smaller."""
    size = (source.image.shape[0], source.image.shape[1])
    pose_mask = pose_masks(torch.from_numpy(source.pose)[None], size)[0, 0].numpy()
    body = (source.parsing != Label.BACKGROUND) | (pose_mask > 0)
    window = CropBox.around(body, frame, _MARGIN)
    gain = (
        max(Letterbox.of(window.size, frame).content)
        / max(window.size)
        / (max(Letterbox.of(size, frame).content) / max(size))
    )
    return window if gain >= _WORTH else CropBox.whole(size)
