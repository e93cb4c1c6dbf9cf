"""Joints in generated images: found by a pose detector from a weights file, or by an annotator of photos."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pgen.body.batch import to_float
from pgen.body.crop import Letterbox
from pgen.body.joints import JOINT_COUNT
from pgen.data.annotators.interface import FoundPerson, PoseAnnotator
from pgen.data.annotators.registry import POSE_ANNOTATORS
from pgen.data.annotators.seen_people import load_seen_people
from pgen.data.weights import find_weights, load_weights
from pgen.errors import InputError
from pgen.metrics.networks import hash_file
from pgen.models.pose_detector import find_joints


class Finder(Protocol):
    """Finds the person in images, uint8 (B, 3, H, W)."""

    def __call__(self, images: Tensor, asked: Tensor | None = None) -> Tensor:
        """Joints (B, 18, 2) in pixels of those whom `find_people` finds; NaN where not found."""
        ...

    def find_people(self, images: Tensor, asked: Tensor | None = None) -> list[FoundPerson | None]:
        """Whom each image shows, None for nobody; of several people the one who stands where ``asked`` does.

        ``asked``: poses (B, 18, 2) in pixels, NaN where not known. Without them, or where nobody stands there, it is
        the largest.
        """
        ...


def find_detector(given: str, device: str) -> tuple[Finder, Mapping[str, str], tuple[str, ...]]:
    """The detector that ``given`` names, the hashes of its weights, and the libraries whose versions matter.

    ``given`` is "mediapipe", "keypointrcnn:FILE" with torchvision's weights, or a weights file with a pose
    detector, or the folder of its training. Raises `InputError` if it is none of these, or not to be had.
    """
    name, _, file = given.partition(":")
    if name not in POSE_ANNOTATORS:
        path, _ = find_weights(given, "detector")
        return Detector(path, device), {"pose detector": hash_file(path)}, ()
    if name == "keypointrcnn" and not file:
        raise InputError("the detector keypointrcnn needs its weights: keypointrcnn:FILE", option="detector")
    weights = {"keypoint R-CNN": hash_file(Path(file))} if file else {}
    libraries = {"mediapipe": ("mediapipe",), "keypointrcnn": ("torchvision",)}
    return AnnotatorDetector(load_seen_people(given, *weights.values())), weights, libraries.get(name, ())


@dataclass
class AnnotatorDetector:
    """An annotator of photos, as a `Finder`.

    Which person is meant is told by where they stand, as in the protocol of MPII: by the box around the joints, not by
    the joints, which are what is judged.
    """

    annotator: PoseAnnotator

    def __call__(self, images: Tensor, asked: Tensor | None = None) -> Tensor:
        found = torch.full((len(images), JOINT_COUNT, 2), torch.nan)
        for joints, person in zip(found, self.find_people(images, asked), strict=True):
            if person is not None:
                joints[:] = torch.from_numpy(person.pose)
        return found

    def find_people(self, images: Tensor, asked: Tensor | None = None) -> list[FoundPerson | None]:
        pictures = images.permute(0, 2, 3, 1).cpu().numpy()
        poses = [None] * len(pictures) if asked is None else asked.cpu().numpy()
        return [
            _choose_person(self.annotator.people(np.ascontiguousarray(picture)), pose)
            for picture, pose in zip(pictures, poses, strict=True)
        ]


class Detector:
    """The pose detector of a weights file, as a `Finder`: it knows of one person an image.

    It finds people of the kind that it was trained on. A generator that was trained with the same detector gets too
    good scores from it: use one of another seed.
    """

    def __init__(self, path: str | os.PathLike[str], device: str | torch.device = "cpu") -> None:
        weights = load_weights(path, "detector")
        if weights.pose is None:
            raise InputError(f"{path}: holds no pose detector; name weights of one", option="detector")
        self.network, self.frame, self.device = weights.pose.to(device), weights.frame, torch.device(device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, asked: Tensor | None = None) -> Tensor:
        size = (images.shape[2], images.shape[3])
        fit = Letterbox.of(size, self.frame)
        if size != self.frame:
            pixels = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
            images = torch.from_numpy(np.stack([fit.image(one) for one in pixels])).permute(0, 3, 1, 2)
        height, width = self.frame
        # Its strides want sides that are multiples of 32.
        inputs = F.pad(to_float(images.to(self.device)), (0, -width % 32, 0, -height % 32), mode="replicate")
        found = find_joints(self.network(inputs), self.network.stride).cpu()
        beyond = (found > torch.tensor([width - 0.5, height - 0.5])).any(-1, keepdim=True)
        found = torch.where(beyond, torch.nan, found)
        return found if size == self.frame else torch.from_numpy(fit.pose_back(found.numpy()))

    def find_people(self, images: Tensor, asked: Tensor | None = None) -> list[FoundPerson | None]:
        poses = self(images).numpy()
        known = [np.isfinite(pose[:, 0]) for pose in poses]
        return [
            FoundPerson(pose, its.astype(np.float32)) if its.any() else None
            for pose, its in zip(poses, known, strict=True)
        ]


def _choose_person(people: Sequence[FoundPerson], asked: NDArray[np.floating] | None) -> FoundPerson | None:
    """Of ``people``, the largest first, the one whose box agrees best with that of the pose ``asked``."""
    if asked is None:
        return next(iter(people), None)
    return max(people, key=lambda person: _measure_agreement(person.pose, asked), default=None)


def _measure_agreement(pose: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Intersection over union of the boxes around the known joints of two poses (18, 2)."""
    if not np.isfinite(pose).any() or not np.isfinite(other).any():
        return 0.0
    low, high = (np.stack([side(one, 0) for one in (pose, other)]) for side in (np.nanmin, np.nanmax))
    shared = (high.min(0) - low.max(0)).clip(0).prod()
    total = (high - low).prod(1).sum() - shared
    return float(shared / total) if total > 0 else 0.0
