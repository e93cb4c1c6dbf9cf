"""The two generators on people who are fitted into their frame: tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.batch import (
    PersonBatch,
    find_likeliest,
    flip_maps,
    flip_persons,
    flip_poses,
    from_pictures,
    keep_grey,
    one_hot,
    replace_parsing_by_pose_masks,
)
from pgen.body.crop import Letterbox
from pgen.body.paste import Paste, remove_carried
from pgen.body.transfer import Transfer
from pgen.data.weights import Weights
from pgen.errors import InputError
from pgen.inference.large_photos import reduce_person
from pgen.inference.person import Person, check_person
from pgen.models.appearance import AppearanceGenerator, EncodedSource, encode_appearance_source, paint
from pgen.models.semantic import SemanticGenerator, encode_semantic_source, predict_parsing
from pgen.runtime.precision import cast_products, choose_precision


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


class _Source:
    """People in their frame, and what the networks' encoders make of them, which no target changes: computed once."""

    def __init__(self, batch: PersonBatch) -> None:
        self.batch, self._tensors = batch, (batch.images, batch.labels, batch.poses)
        self.semantic: dict[bool, Sequence[Tensor]] = {}  #: by whether they are mirrored
        self.appearance: EncodedSource | None = None

    def is_of(self, batch: PersonBatch) -> bool:
        """Whether ``batch`` is these very people."""
        return all(own is other for own, other in zip(self._tensors, vars(batch).values(), strict=True))

    @cached_property
    def mirror(self) -> PersonBatch:
        """The same people as a mirror shows them."""
        labels = self.batch.labels
        return flip_persons(self.batch, torch.ones(len(labels), dtype=torch.bool, device=labels.device))

    def encode_semantic(self, model: SemanticGenerator, is_mirrored: bool) -> Sequence[Tensor]:
        if is_mirrored not in self.semantic:
            self.semantic[is_mirrored] = encode_semantic_source(model, self.mirror if is_mirrored else self.batch)
        return self.semantic[is_mirrored]

    def encode_appearance(self, model: AppearanceGenerator) -> EncodedSource:
        if self.appearance is None:
            self.appearance = encode_appearance_source(model, self.batch)
        return self.appearance


class Networks:
    """H_S and H_A of one weights file, which work at ``frame`` (height, width) on ``device``.

    What their encoders make of a person, some 10 MB, is kept until another one comes: more targets are cheaper.
    """

    def __init__(self, weights: Weights, device: str | torch.device = "cpu", precision: str = "fp32") -> None:
        if weights.appearance is None:
            raise InputError("the weights hold no appearance generator (H_A); choose others", option="weights")
        self.frame, self.device = weights.frame, torch.device(device)
        self._dtype = choose_precision(precision, self.device)
        self._semantic = None if weights.semantic is None else weights.semantic.to(self.device)
        self._appearance = weights.appearance.to(self.device)
        if self._dtype != torch.float32:
            self._appearance = cast_products(self._appearance, self._dtype)
            self._semantic = None if self._semantic is None else cast_products(self._semantic, self._dtype)
        # Kept as long as the person is.
        self._batches: WeakKeyDictionary[Person, PersonBatch] = WeakKeyDictionary()
        self._reduced: WeakKeyDictionary[Person, Person] = WeakKeyDictionary()
        self._source: _Source | None = None

    def frame_person(self, person: Person) -> FramedPerson:
        """``person`` in the networks' frame. Raises InputError for what is no `Person`, such as a photo."""
        check_person(person)
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

    def frame_reduced(self, person: Person) -> FramedPerson:
        """The same in a copy of a large photo, in which it is edited."""
        check_person(person)
        small = self._reduced.get(person) or reduce_person(person)
        if small is not person:
            self._reduced[person] = small
        return self.frame_person(small)

    def require_semantic(self, remedy: str, option: str) -> None:
        """Raises `InputError` with ``remedy``, about ``option``, if parsing maps cannot be predicted: without H_S."""
        if self._semantic is None and self._appearance.config.parsing:
            raise InputError(f"these weights hold no semantic generator (H_S): {remedy}", option=option)

    def predict_maps(self, source: PersonBatch, transfer: Transfer) -> Tensor:
        """The likeliest maps, long (B, H, W), by `predict_probabilities`."""
        return find_likeliest(self.predict_probabilities(source, transfer))

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
            size, known = source.size, self._find_source(source)
            poses = known.mirror.poses.expand(len(transfer.target), -1, -1)
            mirror_transfer = Transfer(poses, flip_poses(transfer.target, size[1]), size)
            with self._autocast():
                encoded = known.encode_semantic(self._semantic, False)
                straight = predict_parsing(self._semantic, source, transfer, encoded)
                encoded = known.encode_semantic(self._semantic, True)
                mirrored = predict_parsing(self._semantic, known.mirror, mirror_transfer, encoded)
            return (straight.softmax(1) + flip_maps(mirrored.softmax(1))) / 2

    def paint(self, source: PersonBatch, transfer: Transfer, labels: Tensor, guide: Paste | None = None) -> Tensor:
        """Images (B, 3, H, W) in [−1, 1] of the people, or the one, of ``source`` in the target poses and maps (H_A).

        Args:
            labels: the target maps, long (B, H, W).
            guide: the label-aware paste of ``source`` into them, if it is there already.

        What a network that takes a guide paints is corrected to its colors; of grey photos all is grey.
        """
        model = self._appearance
        with torch.inference_mode():
            if guide is None and model.config.guide_channels and model.config.parsing:  # in full precision, for colors
                guide = transfer.paste(source.images, source.labels, labels)
            with self._autocast():
                encoded = self._find_source(source).encode_appearance(model)
                made = paint(model, source, transfer, one_hot(labels), guide, correct_colors=True, encoded=encoded)
            return keep_grey(made, source.images)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32)

    def _find_source(self, batch: PersonBatch) -> _Source:
        """What is known of ``batch``; it is kept if that is one person."""
        if self._source is not None and self._source.is_of(batch):
            return self._source
        found = _Source(batch)
        self._source = found if len(batch.labels) == 1 else None
        return found
