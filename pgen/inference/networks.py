"""The two generators on people who are fitted into their frame: tensors in, tensors out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.batch import (
    PersonBatch,
    flip_maps,
    flip_persons,
    flip_poses,
    from_pictures,
    one_hot,
    replace_parsing_by_pose_masks,
)
from pgen.body.crop import Letterbox
from pgen.body.outlines import fit_outlines
from pgen.body.paste import Paste, remove_carried
from pgen.body.transfer import Transfer
from pgen.data.weights import Weights
from pgen.errors import InputError
from pgen.inference.person import Person
from pgen.models.appearance import paint
from pgen.models.semantic import predict_parsing


@dataclass(frozen=True)
class FramedPerson:
    """A person as the networks see them."""

    person: Person
    fit: Letterbox  #: how the part of the photo that is worked on lies in the networks' frame
    batch: PersonBatch  #: photo, map and pose in that frame: a batch of one, on the networks' device

    @property
    def parsing(self) -> NDArray[np.uint8]:
        """The map in the networks' frame, uint8 (h, w)."""
        return self.batch.labels[0].byte().cpu().numpy()

    @property
    def enlargement(self) -> float:
        """How many pixels of the photo a pixel of the networks' frame takes up, at least 1."""
        return max(1.0, self.fit.original[0] / self.fit.content[0])


class Networks:
    """H_S and H_A of one weights file, which work at ``frame`` (height, width) on ``device``."""

    def __init__(self, weights: Weights, device: str | torch.device = "cpu") -> None:
        if weights.appearance is None:
            raise InputError("the weights hold no appearance generator (H_A); choose others", option="weights")
        self.frame, self.device = weights.frame, torch.device(device)
        self._semantic = None if weights.semantic is None else weights.semantic.to(self.device)
        self._appearance = weights.appearance.to(self.device)
        # Kept as long as the person is.
        self._batches: WeakKeyDictionary[Person, PersonBatch] = WeakKeyDictionary()
        self._outlined: WeakKeyDictionary[Person, Person] = WeakKeyDictionary()

    def frame_person(self, person: Person) -> FramedPerson:
        """``person`` in the networks' frame. Raises InputError for what is no `Person`, such as a photo."""
        if not isinstance(person, Person):
            raise InputError(f"this takes a Person, not {type(person).__name__}; make one with Predictor.person first")
        fit = Letterbox.of(person.crop.size, self.frame)
        batch = self._batches.get(person)
        if batch is None:
            labels = torch.from_numpy(fit.parsing(person.parsing)).to(self.device)
            pose = torch.from_numpy(fit.pose(person.pose)).to(self.device)
            image = from_pictures(fit.image(person.image)[None], self.device)
            if person.carried is not None and person.carried.any():
                carried = torch.from_numpy(fit.parsing(person.carried.astype(np.uint8))).to(self.device)
                image = remove_carried(image, labels[None], carried[None].bool())
            self._batches[person] = batch = PersonBatch(image, labels[None].long(), pose[None])
        return FramedPerson(person, fit, batch)

    def frame_outlined(self, person: Person) -> FramedPerson:
        """The same with outlines of the map where the photo has them (`pgen.body.outlines`)."""
        if person not in self._outlined:
            self._outlined[person] = replace(person, parsing=fit_outlines(person.image, person.parsing))
        return self.frame_person(self._outlined[person])

    def require_semantic(self, remedy: str, option: str) -> None:
        """Raises `InputError` with ``remedy``, about ``option``, if parsing maps cannot be predicted: without H_S."""
        if self._semantic is None and self._appearance.config.parsing:
            raise InputError(f"these weights hold no semantic generator (H_S): {remedy}", option=option)

    def predict_maps(self, source: PersonBatch, transfer: Transfer) -> Tensor:
        """The likeliest maps, long (B, H, W), by `predict_probabilities`."""
        return self.predict_probabilities(source, transfer).argmax(1)

    def predict_probabilities(self, source: PersonBatch, transfer: Transfer) -> Tensor:
        """Probabilities of labels, (B, 10, H, W), of the people, or the one, of ``source`` in the target poses, by H_S.

        The mean of what it says of them and of their mirror images. For weights of the baseline, which knows no
        parsing, the target's pose masks. Without H_S otherwise, `InputError`.
        """
        self.require_semantic("give the target's parsing map", "parsing")
        if self._semantic is None:
            masked = PersonBatch(source.images, source.labels, transfer.target)
            return replace_parsing_by_pose_masks(masked).one_hot()
        with torch.inference_mode():
            size = source.size
            mirror = flip_persons(source, torch.ones(len(source.labels), dtype=torch.bool, device=self.device))
            poses = mirror.poses.expand(len(transfer.target), -1, -1)
            mirror_transfer = Transfer(poses, flip_poses(transfer.target, size[1]), size)
            straight = predict_parsing(self._semantic, source, transfer).softmax(1)
            mirrored = predict_parsing(self._semantic, mirror, mirror_transfer).softmax(1)
            return (straight + flip_maps(mirrored)) / 2

    def paint(self, source: PersonBatch, transfer: Transfer, labels: Tensor, guide: Paste | None = None) -> Tensor:
        """Images (B, 3, H, W) in [−1, 1] of the people, or the one, of ``source`` in the target poses and maps (H_A).

        Args:
            labels: the target maps, long (B, H, W).
            guide: the label-aware paste of ``source`` into them, if it is there already.

        What a network that takes a guide paints is corrected to its colors.
        """
        with torch.inference_mode():
            return paint(self._appearance, source, transfer, one_hot(labels), guide, correct_colors=True)
