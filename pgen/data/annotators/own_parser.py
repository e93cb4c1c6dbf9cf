"""Parsing maps by the parser that this package trains."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from pgen.body.batch import from_pictures, to_pictures
from pgen.body.crop import PersonCrop
from pgen.body.joints import known_joints
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.masks import dilate
from pgen.body.sides import assign_nearest_sides
from pgen.data.annotators.interface import FoundMap, ParsingRequest
from pgen.data.annotators.plausible_clothes import correct_clothes
from pgen.data.weights import BUNDLED_PARSER, find_weights, load_weights
from pgen.errors import InputError
from pgen.models.parser import FRAME_UNIT, ParserInput

_BATCH = 8  # photos that the network takes together

# Close-ups are so much larger than in training, where many people are seen in part and larger too: on 79 photos that
# raises the mean IoU by more than a look at their mirror images as well, and takes less time.
_LARGER = 7 / 6

# A limb's pixel changes sides where the other limb is farther by this share of the close-up.
_CLEARLY = 0.01

# How far, in shares of the frame, a person may reach beyond a silhouette, and what a silhouette is from.
_REACH, _SEEN = 0.05, 0.15

_NEVER = 20.0  # a logit, negative, of what is not there

# Mean probability of the labels chosen on a person below which a map is doubtful: a tenth of 86 street photos that the
# parser was not trained on have less.
_SURE = 0.897
_UNCERTAIN = "the parsing map is uncertain; look at it, and correct it if it is wrong"


class OwnParser:
    """A `ParsingAnnotator`: a small network that sees the photo, the joints and the silhouette.

    Args:
        weights: a file that a training of the parser wrote, or the folder of its run; "bundled" or None for the one
            that comes with the package.

    Raises:
        InputError: the file is damaged, holds no parser, or there is none.
    """

    name = "pgen's own parser"

    def __init__(self, weights: str | os.PathLike[str] | None = None) -> None:
        path, _ = find_weights(weights, "parser", BUNDLED_PARSER)
        loaded = load_weights(path, "parser")
        if loaded.parser is None:
            raise InputError(f"{path}: holds no parser; choose other weights, or train one", option="parser")
        self._network, self._device = loaded.parser, torch.device("cpu")
        height, width = (round(_LARGER * side / FRAME_UNIT) * FRAME_UNIT for side in loaded.frame)
        self._frame = (height, width)

    def to(self, device: torch.device) -> None:
        """Run on ``device`` from now on; at first it is the CPU."""
        self._network.to(device)
        self._device = device

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        """Parsing maps at the photos' own sizes, of the persons alone."""
        batches = (photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH))
        return [found for batch in batches for found in self._parse(batch)]

    def _parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        closeups = [PersonCrop.of(mark_person(photo), self._frame) for photo in photos]
        images = np.stack([closeup.image(photo.image) for closeup, photo in zip(closeups, photos, strict=True)])
        poses = np.stack([closeup.pose(photo.pose) for closeup, photo in zip(closeups, photos, strict=True)])
        silhouettes = np.zeros((len(photos), *self._frame), np.float32)
        for silhouette, closeup, photo in zip(silhouettes, closeups, photos, strict=True):
            if photo.silhouette is not None:
                silhouette[:] = closeup.soft(photo.silhouette)
        inputs = ParserInput(
            from_pictures(images, self._device),
            torch.from_numpy(poses).to(self._device),
            torch.from_numpy(silhouettes).to(self._device)[:, None],
            torch.tensor([photo.silhouette is not None for photo in photos], device=self._device),
        )
        with torch.inference_mode():
            logits: Tensor = self._network(inputs)
            logits, things = logits[:, :LABEL_COUNT], logits[:, LABEL_COUNT:].sigmoid()
            seen = F.interpolate(inputs.silhouettes, logits.shape[2:], mode="area")
            logits = _mask_outside(logits, seen, inputs.has_silhouette)
            found, sure = logits.cpu().numpy(), _measure_certainty(logits.softmax(1), seen).tolist()
            shown = F.interpolate(inputs.images, logits.shape[2:], mode="area")
            carried = torch.cat([1 - things, things], 1).cpu().numpy()  # without channels if it is not looked for
        pictures, maps = to_pictures(shown), []
        for k, (closeup, photo) in enumerate(zip(closeups, photos, strict=True)):
            scores = correct_clothes(found[k], pictures[k])
            labels = closeup.back(softmax(scores, 0), photo.image)
            labels = assign_nearest_sides(labels, photo.pose, _CLEARLY * max(closeup.box.size))
            is_carried = None
            if len(carried[k]):
                is_carried = (closeup.back(carried[k], photo.image) == 1) & (labels == Label.BACKGROUND)
            maps.append(FoundMap(labels, () if sure[k] >= _SURE else (_UNCERTAIN,), is_carried))
        return maps


def mark_person(photo: ParsingRequest) -> NDArray[np.bool_]:
    """Where the person is, for a close-up: bool (H, W), the silhouette and the joints."""
    body = np.zeros(photo.image.shape[:2], bool) if photo.silhouette is None else photo.silhouette > 0.5
    joints = photo.pose[known_joints(photo.pose)]
    columns, rows = np.rint(joints).astype(int).T.clip(0, np.array(body.shape[::-1])[:, None] - 1)
    body[rows, columns] = True
    return body


def _measure_certainty(probabilities: Tensor, seen: Tensor) -> Tensor:
    """Mean probability (B,) of the labels chosen where a person is, by them or by silhouettes ``seen`` (B, 1, H, W)."""
    surest = probabilities.max(1)
    body = (surest.indices != Label.BACKGROUND) | (seen[:, 0] > 0.5)
    return (surest.values * body).sum((1, 2)) / body.sum((1, 2)).clamp_min(1)


def _mask_outside(logits: Tensor, seen: Tensor, has_silhouette: Tensor) -> Tensor:
    """``logits`` (B, 10, H, W) that say background far outside of silhouettes ``seen`` (B, 1, H, W)."""
    near = dilate((seen > _SEEN).float(), round(_REACH * max(logits.shape[2:])))
    outside = (near == 0) & has_silhouette[:, None, None, None]
    only = torch.full((LABEL_COUNT,), -_NEVER, device=logits.device)
    only[Label.BACKGROUND] = _NEVER
    return torch.where(outside, only[:, None, None], logits)
